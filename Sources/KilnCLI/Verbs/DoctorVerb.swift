import ArgumentParser
import KilnHost
import KilnModel

/// `kiln doctor`: what of this host works.
struct DoctorVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check this host: programs, acceleration, libvirt, disk space.",
        discussion: "Exit 1 where Kiln can't work here. Every finding that is not 'pass' says what to do."
    )

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let findings = await Doctor(connect: global.connect, executable: Workspace.executable).findings()
        try session.show(DoctorResult(findings: findings))
        return findings.contains { $0.level == .fail } ? KilnModel.ExitCode.unmet.rawValue : 0
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
