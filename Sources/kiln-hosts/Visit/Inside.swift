import ArgumentParser
import Foundation
import KilnOutside

/// The process that runs in a root: does the plan, and writes each finding as a line.
struct Inside: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Used by the program itself.", shouldDisplay: false)

    @Option var suite: String
    @Option var boots: Int
    @Flag var quick = false
    @Flag var package = false
    @Option var only: [String] = []

    func run() throws {
        let plan = Plan(only: only, quick: quick, boots: boots, isOfPackage: package)
        for kind in Account.Kind.allCases {
            let checks = plan.checks(as: kind)
            let account = try Account(kind)
            for check in checks { try report(.check(perform(check, account))) }
            // A person's last check takes the package away.
            if kind == .root, boots > 0 { try report(.boots(bootSeries())) }
        }
    }

    private func perform(_ check: Check, _ account: Account) -> CheckResult {
        let start = ContinuousClock.now
        let verdict: CheckResult.Verdict
        do {
            try check.body(account)
            verdict = .passed
        } catch let skip as Skip {
            verdict = .skipped(skip.reason)
        } catch {
            verdict = .failed("\(error)")
            account.keepEvidence(of: check, "\(error)", in: "\(Visit.Inner.evidence)/\(account.kind.rawValue)")
            account.endMachines()
        }
        account.forgetTranscript()
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        return CheckResult(account: account.kind.rawValue, check: check.name, verdict: verdict, seconds: seconds)
    }

    private func bootSeries() -> BootCount {
        do {
            let account = try Account(.root)
            defer { account.endMachines() }
            return try BootSeries(account, evidence: Visit.Inner.evidence + "/boots").run(boots)
        } catch {
            return BootCount(boots: 0, crashes: [], problem: "\(error)")
        }
    }

    private func report(_ finding: Finding) throws {
        let line = try JSONEncoder().encode(finding) + Data("\n".utf8)
        try FileHandle.standardOutput.write(contentsOf: line)
        say("\(suite)  \(finding.line)")
    }
}
