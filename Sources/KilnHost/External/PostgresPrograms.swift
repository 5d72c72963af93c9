import Foundation
import KilnModel

/// The programs of one version of PostgreSQL, as Debian's packages lay them out.
struct PostgresPrograms: Sendable {
    /// Where every version has a folder of its own.
    static let usualRoot = "/usr/lib/postgresql"

    /// The major version.
    let version: Int
    private let folder: String

    var initdb: String { folder + "/initdb" }
    var postgres: String { folder + "/postgres" }
    var isReady: String { folder + "/pg_isready" }

    /// Those of a version, or of the newest one that is there.
    ///
    /// - Throws: `KilnError` with code `external.missing`, which names the package.
    static func find(_ version: Int?, for id: ExternalID, root: String = usualRoot) throws -> PostgresPrograms {
        let found = versions(in: root)
        let wanted = version ?? found.last
        if let wanted, found.contains(wanted) {
            return PostgresPrograms(version: wanted, folder: "\(root)/\(wanted)/bin")
        }
        let what = version.map { "PostgreSQL \($0)" } ?? "a PostgreSQL server"
        let there = found.isEmpty ? "none" : found.map(String.init).joined(separator: ", ")
        throw KilnError(
            .externalMissing,
            "the external service '\(id.name)' needs \(what) on this host: expected in \(root), found \(there)",
            hint: "as root: apt-get install \(version.map { "postgresql-\($0)" } ?? "postgresql")",
            exit: .unreachable
        )
    }

    /// The versions whose programs are all there, the newest last.
    static func versions(in root: String) -> [Int] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        return entries.compactMap(Int.init).filter { PostgresSpec.versions.contains($0) }.sorted().filter { number in
            let programs = PostgresPrograms(version: number, folder: "\(root)/\(number)/bin")
            return [programs.initdb, programs.postgres, programs.isReady].allSatisfy {
                FileManager.default.isExecutableFile(atPath: $0)
            }
        }
    }
}
