import KilnFaults
import KilnModel
import KilnSystem
import KilnTestSupport
import Testing

@testable import KilnScenarios

@Suite("Faults of what a new machine starts from, on fakes")
struct BadGenerationFaultTests {
    private let faults: FaultWorld

    init() throws { faults = try FaultWorld() }

    private func replace(_ fault: String, at moment: String) -> String {
        "{ replace: { server: web, image: 'tiny:2' }, during: [{ at: \(moment), fault: { \(fault) } }] }"
    }

    @Test(
        "it is spoiled before the new machine starts, and says what is missing",
        arguments: [
            ("bad-image: { server: web, how: truncated }", "what comes after the first 16 MiB of the root of test"),
            ("bad-image: { server: web, how: unbootable }", "the first 16 MiB of the root of test"),
            ("bad-user-data: { server: web, how: unreadable }", "was written anew before its start"),
            ("bad-user-data: { server: web, how: endless }", "was written anew before its start"),
        ]
    )
    func strikes(_ fault: String, _ proof: String) async throws {
        for moment in ["prepare.after", "start.before"] {
            let report = try await faults.run(["up", replace(fault, at: moment)])
            let child = try #require(report.steps[1].children.first)
            #expect(child.outcome == .passed && child.detail?.contains(proof) == true, "\(report)")
        }
    }

    @Test(
        "where there is nothing to spoil yet, or the machine runs already, it says when to come",
        arguments: [("prepare.before", "no disk before prepare.after"), ("start.after", "started already")]
    )
    func impossible(_ moment: String, _ why: String) async throws {
        for fault in ["bad-image: { server: web, how: unbootable }", "bad-user-data: { server: web, how: endless }"] {
            let report = try await faults.run(["up", replace(fault, at: moment)])
            #expect(report.error?.code == ErrorCode.faultImpossible.rawValue, "\(report)")
            #expect(report.error?.message.contains(why) == true, "\(report)")
        }
    }

    @Test("a disk that is whole all the same is not hit")
    func missed() async throws {
        faults.host.ignoreFaults()
        let report = try await faults.run([
            "up", replace("bad-image: { server: web, how: truncated }", at: "prepare.after"),
        ])
        #expect(report.isNotHit, "\(report)")
    }

    @Test("a real disk of more than one request loses the part that is meant, in its own layer only")
    func disk() async throws {
        let directory = try TemporaryDirectory()
        let (base, layer) = (directory.path + "/base.qcow2", directory.path + "/layer.qcow2")
        for words in [
            ["create", "-q", "-f", "qcow2", base, "2100M"],
            ["create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", base, layer],
        ] { try await Command("qemu-img", words).run() }
        try await Command(
            "qemu-io",
            ["-f", "qcow2", "-c", "write -P 7 0 32M", "-c", "write -P 7 2090M 1M", base]
        ).run()
        let host = LinuxHost()
        #expect(try await !host.isErased(.beginning, of: layer))
        try await host.erase(.beginning, of: layer)
        #expect(try await host.isErased(.beginning, of: layer))
        #expect(try await !host.isErased(.rest, of: layer))
        try await host.erase(.rest, of: layer)
        #expect(try await host.isErased(.rest, of: layer))
        #expect(try await !host.isErased(.beginning, of: base))
        await #expect(throws: KilnError.self) { try await host.isErased(.rest, of: layer + ".none") }
        let small = directory.path + "/small.qcow2"
        try await Command("qemu-img", ["create", "-q", "-f", "qcow2", small, "16M"]).run()
        await #expect(throws: KilnError.self) { try await host.erase(.rest, of: small) }
    }
}
