import Testing

@testable import kiln_hosts

@Suite("The table of hosts")
struct HostsTableTests {
    private func host(_ verdicts: [CheckResult.Verdict], boots: BootCount? = nil, ending: String? = nil) -> HostFindings
    {
        let checks = verdicts.enumerated().map { number, verdict in
            Finding.check(CheckResult(account: "root", check: "check \(number)", verdict: verdict, seconds: 1.5))
        }
        let findings = checks + (boots.map { [.boots($0)] } ?? [])
        return HostFindings(suite: "trixie", findings: findings, ending: ending, took: .seconds(9))
    }

    private func table(_ hosts: HostFindings...) -> HostsTable {
        HostsTable(hosts: hosts, took: .seconds(90), evidence: "/evidence")
    }

    @Test("checks that passed, and some that were skipped with a reason, are clean")
    func clean() {
        let table = table(host([.passed, .passed, .skipped("no image")]))
        #expect(table.isClean)
        let row = table.text.split(separator: "\n").first { $0.hasPrefix("trixie, all") } ?? ""
        #expect(row.split(separator: " ").dropFirst(2) == ["2", "2", "0", "1", "-", "-", "9"])
        #expect(table.text.contains("trixie, root: check 2 skipped: no image"))
        #expect(table.text.contains("this run took 1.5 min"))
    }

    @Test("one check that failed on one host is named, and fails the whole")
    func failed() {
        let table = table(host([.passed]), host([.passed, .failed("the disk is gone")]))
        #expect(!table.isClean)
        #expect(table.text.contains("trixie, root: check 1 FAILED: the disk is gone"))
        #expect(table.text.contains("/evidence"))
    }

    @Test("a host on which nothing ran fails, whether all was skipped or nothing chosen; so does no host at all")
    func none() {
        #expect(!table(host([.skipped("why"), .skipped("why")])).isClean)
        #expect(!table(host([])).isClean)
        #expect(!table().isClean)
    }

    @Test("a visit that did not come to its end fails, whatever passed before")
    func ending() {
        let table = table(host([.passed], ending: "the visit ended with 137"))
        #expect(!table.isClean && table.text.contains("trixie, the visit ended with 137"))
    }

    @Test("a guest that crashed is counted and no failure; where all crash, or none could be booted, it is one")
    func boots() {
        let some = table(host([.passed], boots: BootCount(boots: 200, crashes: ["boot 7: double fault"])))
        #expect(some.isClean && some.text.contains("trixie: boot 7: double fault"))
        #expect(!table(host([.passed], boots: BootCount(boots: 1, crashes: ["boot 1: silent"]))).isClean)
        #expect(!table(host([.passed], boots: BootCount(boots: 0, crashes: [], problem: "no QEMU"))).isClean)
    }
}
