import ArgumentParser
import Foundation
import KilnBakery
import KilnHost
import KilnModel
import KilnSystem

/// `kiln doctor`: what of this host works.
struct DoctorVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check this host: programs, acceleration, libvirt, disk space, where Debian's packages come from.",
        discussion: "Exit 1 where Kiln can't work here. Every finding that is not 'pass' says what to do."
    )

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let findings =
            await Doctor(connect: global.connect, executable: Workspace.executable).findings()
            + [await DoctorVerb.archives()]
        try session.show(DoctorResult(findings: findings))
        return findings.contains { $0.level == .fail } ? KilnModel.ExitCode.unmet.rawValue : 0
    }

    /// Where Debian's packages come from: only bakes need them, so that it is never worse than a warning.
    ///
    /// - Parameter environment: variables besides those of this process.
    static func archives(environment: [String: String] = [:]) async -> DoctorFinding {
        let place = FileManager.default.temporaryDirectory.path + "/kiln-archives-\(UUID().uuidString)"
        let found = try? await DurableFile.withPrivateDirectory(beside: place) { folder in
            await DebianOutlook.look(scratch: folder, environment: environment)
        }
        guard let found else {
            let detail = "not examined: \(place) can't be made"
            return DoctorFinding("debian-archives", .warn, detail, remedy: "set TMPDIR")
        }
        return DoctorFinding("debian-archives", found.isReady ? .pass : .warn, found.detail, remedy: found.remedy)
    }
}

/// What the doctor found.
struct DoctorResult: Renderable {
    let findings: [DoctorFinding]

    struct Payload: Encodable {
        let findings: [DoctorFinding]
    }

    var payload: Payload { Payload(findings: findings) }

    var human: HumanView {
        let rows = findings.map {
            [$0.level.rawValue, $0.name, $0.detail + ($0.remedy.map { "; next: \($0)" } ?? "")]
        }
        return .table(TextTable(header: ["level", "name", "detail"], rows: rows), empty: "nothing was checked")
    }
}
