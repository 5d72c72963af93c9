import Foundation
import KilnEngine
import KilnModel
import KilnTestSupport
import Testing

@testable import KilnHost

/// A machine on real QEMU, booted from the image whose files (`disk.qcow2`, `kernel`, `initrd`) lie in the directory that
/// `KILN_TEST_IMAGE` names.
@Suite("A real machine", .serialized, .enabled(if: LiveMachine.image != nil), .timeLimit(.minutes(5)))
struct LiveMachineTests {
    @Test("a machine starts with its ports, is seen by its agent, gives up its seed, shuts down and is powered off")
    func life() async throws {
        let live = try await LiveMachine()
        do {
            let spec = try await live.spec(try #require(LiveMachine.image))
            try await live.machines.define(spec)
            #expect(try await live.machines.machines() == [spec.id: .off])
            try await refusesTakenPort(live, spec)
            let port = try #require(live.freePort())
            try await live.timed("start") {
                try await live.machines.start(spec.id, forwards: [PortForward(host: port, guest: 80)])
            }
            try await locksItsDisk(live, spec)
            // The forward accepts, but no guest answers yet.
            #expect(await live.health(port) != .holds)
            try await live.timed("agent") { try await live.guests.awaitAgent(spec.id, within: .seconds(60)) }
            try await reachesInside(live, spec.id)
            try await movesPorts(live, spec.id, from: port)
            try await detachesSeed(live, spec)
            try await ends(live, spec)
        } catch {
            Issue.record(error)
        }
        await live.end()
    }

    private func refusesTakenPort(_ live: LiveMachine, _ spec: MachineSpec) async throws {
        let listener = try Listener()
        let taken = await #expect(throws: KilnError.self) {
            try await live.machines.start(spec.id, forwards: [PortForward(host: listener.port, guest: 80)])
        }
        #expect(taken?.code == .portTaken)
        #expect(taken?.message.contains("(pid ") == true)
        #expect(try await live.machines.state(of: spec.id) == .off)
    }

    private func locksItsDisk(_ live: LiveMachine, _ spec: MachineSpec) async throws {
        #expect(try await live.machines.state(of: spec.id) == .running)
        let holders = ProcHolderInspection()
        #expect(try holders.holders(of: spec.root.path).map(\.name) == ["qemu-system-x86"])
        #expect(try holders.isLockObtainable(spec.root.path) == false)
    }

    private func reachesInside(_ live: LiveMachine, _ id: MachineID) async throws {
        let command = GuestCommand(["sh", "-c", "cat; echo err >&2; exit 7"], input: Array("hi".utf8))
        let result = try await live.timed("exec") { try await live.guests.run(command, in: id) }
        #expect(result == GuestCommandResult(status: 7, output: Array("hi".utf8), errors: Array("err\n".utf8)))
        try await live.guests.write(Array("written".utf8), to: "/tmp/x", in: id)
        #expect(try await live.guests.read("/tmp/x", in: id, limit: 100) == Array("written".utf8))
        #expect(try await live.guests.read("/tmp/none", in: id, limit: 100) == nil)
        let large = await #expect(throws: KilnError.self) { try await live.guests.read("/tmp/x", in: id, limit: 3) }
        #expect(large?.code == .guestTooLarge)
        let missing = await #expect(throws: KilnError.self) {
            try await live.guests.run(GuestCommand(["/no/such"]), in: id)
        }
        #expect(missing?.code == .guestRefused)
    }

    /// To start what runs changes nothing but its ports.
    private func movesPorts(_ live: LiveMachine, _ id: MachineID, from port: UInt16) async throws {
        #expect(try await live.eventually { await live.health(port) == .holds })
        let second = try #require(live.freePort())
        try await live.machines.start(id, forwards: [PortForward(host: second, guest: 80)])
        #expect(try await live.eventually { await live.health(second) == .holds })
        #expect(await live.health(port) == .notYet("Connection refused"))
    }

    private func detachesSeed(_ live: LiveMachine, _ spec: MachineSpec) async throws {
        let seed = try #require(spec.seed)
        try await live.timed("seed detached") { try await live.machines.detachSeed(spec.id, path: seed) }
        try await live.machines.detachSeed(spec.id, path: seed)
        #expect(try ProcHolderInspection().holders(of: seed).isEmpty)
        #expect(try await live.machines.definition(of: spec.id)?.contains("seed.iso") == false)
        // As after the end of this process: a new connection finds the machine.
        await live.host.close()
        #expect(try await live.machines.machines() == [spec.id: .running])
    }

    private func ends(_ live: LiveMachine, _ spec: MachineSpec) async throws {
        try await live.timed("shutdown") {
            _ = try await live.machines.requestShutdown(spec.id)
            #expect(try await live.machines.waitUntilOff(spec.id, within: .seconds(30)))
        }
        #expect(try ProcHolderInspection().isLockObtainable(spec.root.path))
        try await live.machines.start(spec.id, forwards: [])
        try await live.guests.awaitAgent(spec.id, within: .seconds(60))
        try await live.machines.reboot(spec.id)
        // What the guest says last. Its next boot is not waited for: under TCG it takes from ten seconds to minutes.
        #expect(
            try await live.eventually {
                let log = FileManager.default.contents(atPath: spec.consoleLog) ?? Data()
                return log.firstRange(of: Data("Restarting system".utf8)) != nil
            }
        )
        #expect(try await live.machines.state(of: spec.id) == .running)
        try await live.timed("power off") { try await live.machines.powerOff(spec.id) }
        try await live.machines.powerOff(spec.id)
        let off = await #expect(throws: KilnError.self) {
            try await live.guests.awaitAgent(spec.id, within: .seconds(5))
        }
        #expect(off?.code == .guestMachineOff)
        try await live.machines.undefine(spec.id)
        #expect(!FileManager.default.fileExists(atPath: spec.ledgerSocket))
    }
}
