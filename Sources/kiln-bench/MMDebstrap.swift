import Foundation
import KilnBakery

/// mmdebstrap alone, with the packages of a recipe from the mirrors that a bake would take.
struct MMDebstrap: Sendable {
    private let debian: Recipe.Debian
    private let folder: String

    init(_ debian: Recipe.Debian, in folder: String) {
        self.debian = debian
        self.folder = folder
    }

    /// Makes an archive of the tree, and removes it.
    ///
    /// - Returns: how long mmdebstrap took; what is asked of apt before does not count.
    func run() async throws -> Duration {
        let sources = try await DebianSources.of(debian, scratch: folder + "/apt")
        let (list, archive) = (folder + "/sources.list", folder + "/tree.tar")
        try Data((sources.lines.joined(separator: "\n") + "\n").utf8).write(to: URL(fileURLWithPath: list))
        defer { for file in [list, archive] { try? FileManager.default.removeItem(atPath: file) } }
        let options = try await aptOptions().map { "--aptopt=" + $0 }
        let arguments =
            ["--quiet", "--mode=auto", "--format=tar", "--variant=\(debian.variant)"] + options
            + ["--include=\(debian.packages.joined(separator: ","))", debian.suite, archive, list]
        return try await program("mmdebstrap").run(arguments, within: .seconds(1_800)).took
    }

    /// How this host's apt reaches its archives, such as by a proxy.
    private func aptOptions() async throws -> [String] {
        let wanted = ["Acquire::http::", "Acquire::https::", "Acquire::Check-"]
        return try await program("apt-config").run(["dump"], within: .seconds(60)).output
            .split(separator: "\n").map(String.init).filter { line in wanted.contains { line.hasPrefix($0) } }
    }

    private func program(_ name: String) throws -> Program { Program(try Program.find(name), directory: folder) }
}
