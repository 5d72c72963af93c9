import ArgumentParser
import KilnHost
import KilnModel

/// `kiln doctor`: what of this host works.
struct DoctorVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check this host: programs, acceleration, libvirt, disk space."
    )

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let findings = await Doctor(home: KilnHome.current, connect: global.connect).examine()
        try session.show(DoctorResult(findings: findings))
        return findings.contains { $0.verdict == .failed } ? KilnModel.ExitCode.unmet.rawValue : 0
    }
}

/// What the doctor found.
struct DoctorResult: Renderable {
    let findings: [Doctor.Finding]

    struct Payload: Encodable {
        struct Item: Encodable {
            let subject: String
            let verdict: String
            let detail: String
            let hint: String?
        }

        let findings: [Item]
    }

    var payload: Payload {
        Payload(
            findings: findings.map {
                Payload.Item(subject: $0.subject, verdict: $0.verdict.rawValue, detail: $0.detail, hint: $0.hint)
            }
        )
    }

    var human: HumanView {
        let rows = findings.map {
            [$0.verdict.rawValue, $0.subject, $0.detail + ($0.hint.map { "; next: \($0)" } ?? "")]
        }
        return .table(TextTable(header: ["verdict", "subject", "detail"], rows: rows), empty: "nothing was checked")
    }
}
