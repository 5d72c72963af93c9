import Foundation
import KilnEngine
import KilnModel
import KilnSystem
import KilnTestSupport
import Synchronization
import Testing

@testable import KilnScenarios

@Suite("What is expected of a server, and guests that restart, on fakes")
struct ExpectationTests {
    /// How often guests were restarted, which their boot ids tell.
    private final class Boots: Sendable {
        let count = Mutex(0)
    }

    private let faults: FaultWorld
    private let boots = Boots()

    init() throws {
        faults = try FaultWorld()
        faults.world.faults.before("reboot") { [boots] in boots.count.withLock { $0 += 1 } }
        faults.world.guests.reply { [boots] arguments, _ in
            guard arguments.last == "/proc/sys/kernel/random/boot_id" else { return nil }
            let id = "00000000-0000-4000-8000-00000000000\(boots.count.withLock { $0 })\n"
            return GuestCommandResult(status: 0, output: Array(id.utf8), errors: [])
        }
    }

    private static let look =
        "{ expect: { server: web, generation: 1 }, save: { boot: boot-id, instance: instance-id } }"

    @Test("a guest that restarted has another boot id, in the same machine")
    func reboot() async throws {
        let same = "expect: { server: web, generation: 1, instance-id: '${saved.instance}' }"
        let other = "expect: { server: web, boot-id: { not: '${saved.boot}' } }"
        let report = try await faults.run(["up", Self.look, "reboot: [web]", same, other])
        #expect(report.outcome == .passed && boots.count.withLock { $0 } == 1, "\(report)")
        let without = try await faults.run(["up", Self.look, same, other])
        #expect(without.outcome == .failed && without.error?.message.contains("boot id other than") == true)
    }

    @Test("a machine that ends in place of restarting is not waited for as one that restarts")
    func ended() async throws {
        faults.world.faults.before("reboot") { [world = faults.world] in
            for machine in world.hypervisor.alive { world.hypervisor.set(machine, .off) }
        }
        let begin = ContinuousClock.now
        let report = try await faults.run(["up", "reboot: [web]"])
        #expect(report.outcome != .passed && ContinuousClock.now - begin < .seconds(60), "\(report)")
    }

    @Test("a guest is asked for the id of its boot only where that counts, and where it can't tell, that is a failure")
    func asked() async throws {
        let asked = Mutex(0)
        faults.world.guests.reply { arguments, _ in
            guard arguments.last == "/proc/sys/kernel/random/boot_id" else { return nil }
            asked.withLock { $0 += 1 }
            return GuestCommandResult(status: 0, output: Array("nonsense\n".utf8), errors: [])
        }
        #expect(try await faults.run(["up", "expect: { server: web, generation: 1 }"]).outcome == .passed)
        #expect(asked.withLock { $0 } == 0)
        #expect(try await faults.run(["up", Self.look, "note: '${saved.boot}'"]).error?.code == "guest.nonsense")
    }

    @Test("a console is looked at as a whole, and a pattern says what it must not hold")
    func console() async throws {
        let write = FaultWorld.atNote { [world = faults.world] in
            for machine in world.hypervisor.alive {
                let text = Data("hello\nphase=ready\n".utf8)
                try? text.write(to: URL(filePath: world.state.consoleLog(machine)))
            }
        }
        let fine = "expect: { server: web, console: [phase=ready, '/^hel+o$/', '!panic'] }"
        #expect(try await faults.run(["up", "note: a", fine], sink: write).outcome == .passed)
        let other = try await faults.run(["up", "note: a", "expect: { server: web, console: '!hello' }"], sink: write)
        #expect(other.outcome == .failed && other.error?.message.contains("'!hello' expected") == true)
    }

    @Test("an image that nothing is attested of is told from one that passed")
    func attested() async throws {
        #expect(try await faults.run(["up", "expect: { server: web, attested: false }"]).outcome == .passed)
        let report = try await faults.run(["up", "expect: { server: web, attested: true }"])
        #expect(report.outcome == .failed && report.error?.message.contains("untested") == true, "\(report)")
    }

    @Test("a channel that points nowhere is no expectation that could be met")
    func channel() async throws {
        let report = try await faults.run(["up", "expect: { server: web, channel: stable }"])
        #expect(report.outcome != .passed && report.error?.message.contains("stable") == true, "\(report)")
    }

    @Test("what users saw is judged only where it was measured")
    func availability() async throws {
        let report = try await faults.run(["up", "expect: { server: web, unavailable-at-most: 5s }"])
        #expect(report.outcome == .failed && report.error?.message.contains("a measured replacement") == true)
    }

    @Test(
        "a wrong expectation is named with its place",
        arguments: [
            ("instance-id: {}", "the field 'not' is missing"), ("console: []", "an empty list"),
            ("failed-requests-at-most: -1", "from 0"), ("hidden: all", "none"), ("boot-id: '${saved.x}'", "saves 'x'"),
        ]
    )
    func mistakes(field: String, words: String) throws {
        let found = try problems(FaultWorld.text(["up", "expect: { server: web, \(field) }"]))
        #expect(found.count == 1 && found.first?.contains(words) == true, "\(found)")
    }
}
