import Foundation

/// What a visit tells as it goes: a line of JSON each.
enum Finding: Codable, Sendable {
    case check(CheckResult)
    case boots(BootCount)

    /// For people.
    var line: String {
        switch self {
        case .check(let result): result.line
        case .boots(let count): "root  \(count.boots) boots, \(count.crashes.count) crashed  \(count.problem ?? "")"
        }
    }
}

/// What one check found for one account.
struct CheckResult: Codable, Sendable {
    enum Verdict: Codable, Sendable, Equatable {
        case passed
        case failed(String)
        case skipped(String)
    }

    let account: String
    let check: String
    let verdict: Verdict
    let seconds: Double

    var line: String {
        let end =
            switch verdict {
            case .passed: "ok"
            case .failed(let problem): "FAILED: \(problem)"
            case .skipped(let reason): "skipped: \(reason)"
            }
        return "\(account)  \(check)  \(String(format: "%.1f", seconds)) s  \(end)"
    }
}

/// What was found on one host.
struct HostFindings: Sendable {
    let suite: String
    let findings: [Finding]
    /// Why the visit did not come to its end.
    let ending: String?
    let took: Duration

    var results: [CheckResult] {
        findings.compactMap { if case .check(let result) = $0 { result } else { nil } }
    }

    var boots: BootCount? {
        for case .boots(let count) in findings { return count }
        return nil
    }
}
