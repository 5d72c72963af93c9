import Foundation
import KilnOutside

/// What was found on all hosts, a row for each account of each.
struct HostsTable {
    let hosts: [HostFindings]
    let took: Duration
    /// Where evidence is kept.
    let evidence: String

    private static let header = ["host", "run", "passed", "failed", "skipped", "boots", "crashed", "seconds"]

    /// Whether every check passed or was skipped with a reason, some ran on each host, and each visit came to its end.
    ///
    /// A guest that crashed is counted and no failure: it is the emulator that fails. Where all do, it is something else.
    var isClean: Bool { !hosts.isEmpty && hosts.allSatisfy { problems(of: $0).isEmpty } }

    /// The table, what was skipped, and what failed.
    var text: String {
        let rows = [HostsTable.header] + hosts.flatMap(rows)
        let minutes = "this run took \(String(format: "%.1f", took / .seconds(60))) min"
        let kept = isClean ? [] : ["evidence is in \(evidence)"]
        return (TextTable(rows).lines + [""] + hosts.flatMap(remarks) + hosts.flatMap(problems) + kept + [minutes])
            .joined(separator: "\n") + "\n"
    }

    private func rows(_ host: HostFindings) -> [[String]] {
        let accounts = host.results.reduce(into: [String]()) { if !$0.contains($1.account) { $0.append($1.account) } }
        let rows = accounts.map { account in
            row("\(host.suite), \(account)", host.results.filter { $0.account == account })
        }
        let boots = host.boots.map { ["\($0.boots)", "\($0.crashes.count)"] } ?? ["-", "-"]
        let all = row("\(host.suite), all", host.results)
        return rows + [all.prefix(5) + boots + ["\(Int((host.took / .seconds(1)).rounded()))"]]
    }

    private func row(_ name: String, _ results: [CheckResult]) -> [String] {
        let passed = results.count { $0.verdict == .passed }
        let failed = results.count { $0.failure != nil }
        let seconds = Int(results.reduce(0) { $0 + $1.seconds }.rounded())
        let counts = [passed + failed, passed, failed, results.count - passed - failed]
        return [name] + counts.map(String.init) + ["", "", "\(seconds)"]
    }

    private func remarks(_ host: HostFindings) -> [String] {
        let skipped = host.results.compactMap { result in
            if case .skipped(let reason) = result.verdict {
                "\(host.suite), \(result.account): \(result.check) skipped: \(reason)"
            } else {
                nil
            }
        }
        return skipped + (host.boots?.crashes ?? []).map { "\(host.suite): \($0)" }
    }

    private func problems(of host: HostFindings) -> [String] {
        let failed = host.results.compactMap { result in
            result.failure.map { "\(result.account): \(result.check) FAILED: \($0)" }
        }
        let ran = host.results.contains { if case .skipped = $0.verdict { false } else { true } }
        let none = ran ? [] : ["no check has run"]
        let boots = host.boots.flatMap { count in
            count.problem ?? (count.crashes.count == count.boots ? "none of \(count.boots) guests came to init" : nil)
        }
        return (failed + none + [boots, host.ending].compactMap(\.self)).map { "\(host.suite), \($0)" }
    }
}

extension CheckResult {
    /// What is wrong, where something is.
    fileprivate var failure: String? { if case .failed(let problem) = verdict { problem } else { nil } }
}
