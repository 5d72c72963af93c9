import KilnModel

/// What was found of an image.
struct ImageTestResult: Renderable {
    let name: String
    let attestation: Attestation

    struct Payload: Encodable {
        let name: String
        let outcome: Assertion.Outcome
        let attestation: Attestation
    }

    var payload: Payload { Payload(name: name, outcome: attestation.outcome, attestation: attestation) }

    var human: HumanView { .lines(table.lines + failures + [verdict]) }

    private var table: TextTable {
        let rows = attestation.assertions.map { assertion in
            [assertion.outcome.rawValue, assertion.place.rawValue, assertion.subject, assertion.found]
        }
        return TextTable(header: ["result", "where", "what", "found"], rows: rows)
    }

    // Once more below, where the cells are not too narrow for them.
    var failures: [String] {
        attestation.assertions.filter { $0.outcome != .passed }.flatMap { assertion in
            [
                "", "\(assertion.outcome.rawValue): \(assertion.subject)", "  expected: \(assertion.expected)",
                "  found:    \(assertion.found)",
            ]
        }
        .map(ConsoleText.singleLine)
    }

    var verdict: String {
        let tenths = Int(attestation.seconds * 10)
        let count = attestation.assertions.count
        let passed = attestation.assertions.count { $0.outcome == .passed }
        let time = "\(tenths / 10).\(tenths % 10) s"
        let sums = "\(passed) of \(count) assertions hold, in \(time)"
        return switch attestation.outcome {
        case .passed: "\(name) passed: \(sums)"
        case .flaky: "\(name) is flaky: \(sums); what holds only at a second attempt is no proof"
        case .failed: "\(name) failed: \(sums)"
        }
    }
}
