import Foundation
import KilnEngine
import KilnModel
import KilnTestSupport
import Synchronization
import Testing

@testable import KilnScenarios

@Suite("Faults of disks and in guests, on fakes")
struct DiskFaultTests {
    private let faults: FaultWorld
    private var world: FakeWorld { faults.world }

    init() throws { faults = try FaultWorld() }

    // MARK: - By QEMU's monitor

    /// Lets monitors tell the nodes of the machine's volume.
    private func answerNodes() {
        world.hypervisor.answer { [world] command, _, machine in
            guard command == "query-named-block-nodes",
                let path = world.hypervisor.spec(machine)?.volumes.first?.disk.path
            else { return .object([:]) }
            return [
                ["drv": "file", "node-name": "s", "file": .string(path)],
                ["drv": "qcow2", "node-name": "f", "file": .string(path)],
            ]
        }
    }

    @Test("the disk of a machine that stands still is left alone: its monitor would never answer")
    func frozen() async throws {
        answerNodes()
        let slow = "fault: { slow-disk: { server: web, volume: data, operations: 10 }, steps: [{ note: a }] }"
        for fault in [slow, "fault: { io-error: { server: web, volume: data }, steps: [{ note: a }] }"] {
            let report = try await faults.run(["up", "fault: { freeze: { server: web }, steps: [{ \(fault) }] }"])
            #expect(report.outcome != .passed && report.error?.message.contains("stands still") == true, "\(report)")
        }
    }

    @Test("a guest that gives a time to calculate nothing with has no clock that could be set")
    func strangeClock() async throws {
        world.guests.reply { arguments, _ in
            guard arguments == ["date", "+%s"] else { return nil }
            return GuestCommandResult(status: 0, output: Array("-9223372036854775808\n".utf8), errors: [])
        }
        let report = try await faults.run(["up", "fault: { clock-skew: { server: web, ahead: 1h }, for: 10ms }"])
        #expect(report.outcome != .passed && report.error?.message.contains("'date'") == true, "\(report)")
    }

    @Test(
        "a write that failed paused the machine; the filter is taken out, and the machine goes on",
        arguments: [
            "io-error", "read-only-disk",
        ]
    )
    func writes(word: String) async throws {
        answerNodes()
        let fault = "fault: { \(word): { server: web, volume: data }, steps: [{ note: a }] }"
        let report = try await faults.run(
            ["up", fault],
            sink: FaultWorld.atNote { [world] in
                for machine in world.hypervisor.alive where machine.member.server.text == "web" {
                    world.hypervisor.set(machine, .paused)
                }
            }
        )
        #expect(report.outcome == .passed, "\(report)")
        #expect(report.steps[1].detail?.contains("was paused") == true)
        #expect(
            world.hypervisor.monitored == [
                "query-named-block-nodes", "blockdev-add", "blockdev-reopen", "blockdev-reopen", "blockdev-del", "cont",
            ]
        )
        #expect(try await faults.run(["up", fault]).isNotHit)
    }

    @Test("a disk that the machine does not have can't be broken")
    func noDisk() async throws {
        world.hypervisor.answer { _, _, _ in [] }
        let report = try await faults.run(["up", "fault: { io-error: { server: web, volume: data }, for: 1ms }"])
        #expect(report.error?.code == ErrorCode.faultImpossible.rawValue && report.outcome == .error, "\(report)")
    }

    @Test("a slow disk has its limit while operations pass, and the one from before afterwards")
    func slow() async throws {
        let state = Mutex((limit: Int64(0), operations: Int64(0), set: [Int64]()))
        let isUsed = Mutex(true)
        world.hypervisor.answer { [world] command, arguments, machine in
            let path = world.hypervisor.spec(machine)?.volumes.first?.disk.path ?? ""
            return state.withLock { state in
                switch command {
                case "query-block":
                    return [["qdev": "d", "inserted": ["file": .string(path), "iops": .int(state.limit)]]]
                case "query-blockstats":
                    if isUsed.withLock({ $0 }) { state.operations += 7 }
                    return [
                        ["qdev": "d", "stats": ["rd_operations": .int(state.operations), "wr_operations": .int(0)]]
                    ]
                default:
                    if case .int(let limit)? = arguments["iops"] {
                        state.limit = limit
                        state.set.append(limit)
                    }
                    return .object([:])
                }
            }
        }
        let fault = "fault: { slow-disk: { server: web, volume: data, operations: 5 }, for: 1ms }"
        let report = try await faults.run(["up", fault])
        #expect(report.steps[1].detail == "7 operations passed, at most 5 per second", "\(report)")
        #expect(report.outcome == .passed && state.withLock { $0.set } == [5, 0])
        isUsed.withLock { $0 = false }
        #expect(try await faults.run(["up", fault]).isNotHit)
        #expect(state.withLock { $0.limit } == 0)
    }

    // MARK: - In guests

    /// Lets the script that a fault calls `name` say something.
    private func say(_ name: String, _ text: String, status: Int32 = 0) {
        world.guests.reply { arguments, _ in
            guard arguments.count > 3, arguments[3] == name else { return nil }
            return GuestCommandResult(status: status, output: Array(text.utf8), errors: Array("\u{1b}[31mno".utf8))
        }
    }

    @Test(
        "what a guest does is proved by what it says, and by nothing but a number",
        arguments: [
            (
                "disk-full: { server: web, volume: data }, for: 1ms", "fill",
                "4096 bytes fill it; 4096 more were refused"
            ),
            ("kill-service: { server: web, process: httpd }", "kill", "4096 processes are gone"),
        ]
    )
    func guest(fault: String, script: String, proof: String) async throws {
        say(script, "4096\n")
        let report = try await faults.run(["up", "fault: { \(fault) }"])
        #expect(report.outcome == .passed && report.steps[1].detail == proof, "\(report)")
        for answer in ["0\n", "many\n", "", String(repeating: "9", count: 5000)] {
            say(script, answer)
            #expect(try await faults.run(["up", "fault: { \(fault) }"]).isNotHit, "\(answer.prefix(10))")
        }
    }

    @Test("a volume that can't be filled is no fault, and what its guest says is made safe to print")
    func unfilled() async throws {
        say("fill", "", status: 3)
        let report = try await faults.run(["up", "fault: { disk-full: { server: web, volume: data }, for: 1ms }"])
        #expect(report.error?.code == ErrorCode.faultImpossible.rawValue)
        #expect(report.steps[1].detail?.unicodeScalars.contains("\u{1b}") == false, "\(report.steps[1])")
    }

    @Test("a clock goes by what was said, and back; one that does not go was not hit")
    func clock() async throws {
        let skew = Mutex(0)
        let obeys = Mutex(true)
        world.guests.reply { arguments, _ in
            if arguments == ["date", "+%s"] {
                let now = Int(Date().timeIntervalSince1970) + skew.withLock { $0 }
                return GuestCommandResult(status: 0, output: Array("\(now)\n".utf8), errors: [])
            }
            guard arguments.count == 5, arguments[3] == "date", let shift = Int(arguments[4]) else { return nil }
            if obeys.withLock({ $0 }) { skew.withLock { $0 += shift } }
            return GuestCommandResult(status: 0, output: [], errors: [])
        }
        let fault = "fault: { clock-skew: { server: web, behind: 1h }, for: 1ms }"
        let report = try await faults.run(["up", fault])
        #expect(report.outcome == .passed, "\(report)")
        #expect(report.steps[1].detail?.contains("its clock went by -3") == true)
        #expect(abs(skew.withLock { $0 }) < 30)
        obeys.withLock { $0 = false }
        #expect(try await faults.run(["up", fault]).isNotHit)
    }
}
