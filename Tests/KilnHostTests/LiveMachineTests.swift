import Foundation
import KilnEngine
import KilnHost
import KilnModel
import Testing

/// A machine on real QEMU, booted from the image whose files (`disk.qcow2`, `kernel`, `initrd`) lie in the directory that
/// `KILN_TEST_IMAGE` names.
@Suite("A real machine", .serialized, .enabled(if: LiveMachine.image != nil), .timeLimit(.minutes(5)))
struct LiveMachineTests {
    @Test("a machine boots, answers through its agent and its port, gives up its seed and ends")
    func life() async throws {
        let live = try await LiveMachine()
        let image = try #require(LiveMachine.image)
        let host = live.host
        do {
            let spec = try await live.spec(image)
            let port = try #require(host.ports.choice.shuffled().first { host.ports.isFree($0) })
            let clock = ContinuousClock()
            var times: [(String, Duration)] = []
            func timed<Result>(_ name: String, _ body: () async throws -> Result) async rethrows -> Result {
                let start = clock.now
                let result = try await body()
                times.append((name, clock.now - start))
                return result
            }
            let machines = host.parts.machines
            let first = try await timed("state (connects)") { try await machines.state(of: spec.id) }
            #expect(first == .absent)
            try await timed("define") { try await machines.define(spec) }
            #expect(try await machines.state(of: spec.id) == .off)
            let listing = try await timed("listing") { try await machines.machines() }
            #expect(listing == [spec.id: .off])

            // A port that somebody listens on: nothing runs afterwards.
            let blocked = try Listener()
            let taken = await #expect(throws: KilnError.self) {
                try await machines.start(spec.id, forwards: [PortForward(host: blocked.port, guest: 80)])
            }
            #expect(taken?.code == "port.taken")
            print("taken:", taken?.description ?? "")
            #expect(try await machines.state(of: spec.id) == .off)

            try await timed("start") {
                try await machines.start(spec.id, forwards: [PortForward(host: port, guest: 80)])
            }
            #expect(try await machines.state(of: spec.id) == .running)
            let holders = try host.parts.holders.holders(of: spec.root.path)
            print("holders:", holders)
            #expect(holders.count == 1)
            #expect(try host.parts.holders.isLockObtainable(spec.root.path) == false)
            let early = await timed("probe of a guest that boots") {
                await host.parts.network.http(port: port, path: "/health", status: 200, contains: nil)
            }
            print("early:", early)
            try await timed("agent") { try await host.parts.guests.awaitAgent(spec.id, within: .seconds(60)) }
            let result = try await timed("exec") {
                try await host.parts.guests.run(
                    GuestCommand(["sh", "-c", "cat; echo err >&2; exit 7"], input: Array("hi".utf8)),
                    in: spec.id
                )
            }
            #expect(result == GuestCommandResult(status: 7, output: Array("hi".utf8), errors: Array("err\n".utf8)))
            try await host.parts.guests.write(Array("written".utf8), to: "/tmp/x", in: spec.id)
            #expect(try await host.parts.guests.read("/tmp/x", in: spec.id, limit: 100) == Array("written".utf8))
            #expect(try await host.parts.guests.read("/tmp/none", in: spec.id, limit: 100) == nil)
            let large = await #expect(throws: KilnError.self) {
                try await host.parts.guests.read("/tmp/x", in: spec.id, limit: 3)
            }
            #expect(large?.code == "guest.too-large")
            let missing = await #expect(throws: KilnError.self) {
                try await host.parts.guests.run(GuestCommand(["/no/such"]), in: spec.id)
            }
            #expect(missing?.code == "guest.refused")
            try await timed("http holds") {
                var last = ProbeFinding.holds
                for _ in 0..<100 {
                    let finding = await host.parts.network.http(port: port, path: "/health", status: 200, contains: nil)
                    last = finding
                    if finding == .holds { return }
                    try await Task.sleep(for: .milliseconds(100))
                }
                Issue.record("no answer: \(last)")
            }
            // To start what runs changes nothing but its ports.
            let second = try #require(host.ports.choice.shuffled().first { $0 != port && host.ports.isFree($0) })
            try await machines.start(spec.id, forwards: [PortForward(host: second, guest: 80)])
            #expect(await host.parts.network.http(port: second, path: "/version", status: 200, contains: nil) == .holds)
            #expect(host.ports.isFree(port))

            let seed = try #require(spec.seed)
            try await timed("seed detached") { try await machines.detachSeed(spec.id, path: seed) }
            try await machines.detachSeed(spec.id, path: seed)
            #expect(try host.parts.holders.holders(of: seed).isEmpty)
            #expect(try await machines.definition(of: spec.id)?.contains("seed.iso") == false)

            // Another process would do this: a new session finds the machine.
            await live.host.local.close()
            #expect(try await machines.machines() == [spec.id: .running])
            try await timed("reboot request") { try await machines.reboot(spec.id) }
            try await Task.sleep(for: .seconds(1))
            try await timed("agent after reboot") {
                try await host.parts.guests.awaitAgent(spec.id, within: .seconds(60))
            }

            try await timed("shutdown request") { try await machines.requestShutdown(spec.id) }
            let isOff = try await timed("off") { try await machines.waitUntilOff(spec.id, within: .seconds(30)) }
            #expect(isOff)
            #expect(try host.parts.holders.isLockObtainable(spec.root.path))
            try await timed("second start") { try await machines.start(spec.id, forwards: []) }
            #expect(try await machines.waitUntilOff(spec.id, within: .milliseconds(200)) == false)
            try await timed("power off") { try await machines.powerOff(spec.id) }
            #expect(try await machines.state(of: spec.id) == .off)
            try await machines.powerOff(spec.id)
            let off = await #expect(throws: KilnError.self) {
                try await host.parts.guests.awaitAgent(spec.id, within: .seconds(5))
            }
            #expect(off?.code == "guest.machine-off")
            try await timed("undefine") { try await machines.undefine(spec.id) }
            try await machines.undefine(spec.id)
            for (name, time) in times { print("\(name): \(time)") }
        } catch {
            let id = ServerID(lab: try Name("live"), server: try Name("web")).machine(Generation(1))
            print(
                String(
                    decoding: FileManager.default.contents(atPath: host.local.state.consoleLog(id)) ?? Data(),
                    as: UTF8.self
                )
            )
            print(try await host.parts.machines.state(of: id))
            Issue.record(error)
        }
        await live.end()
    }
}
