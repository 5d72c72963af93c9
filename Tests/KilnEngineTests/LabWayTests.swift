import Foundation
import KilnModel
import KilnTestSupport
import Testing

@testable import KilnEngine

@Suite("Guests with and without an agent")
struct LabWayTests {
    private func agentless(_ way: GuestWay = .ssh) throws -> LabTestWorld {
        try LabTestWorld(["1": GuestBehaviour(way: way), "2": GuestBehaviour(way: way)])
    }

    private func spec(_ test: LabTestWorld, _ image: String = "tiny:1") throws -> ServerSpec {
        var spec = try test.spec(image)
        spec.ready = ServerSpec.defaultReady
        return spec
    }

    @Test(
        "a server with a volume comes up from an image without agent, is replaced, and is known to be reached by SSH",
        arguments: [Strategy.stopFirst, .warmFirst]
    )
    func ssh(_ strategy: Strategy) async throws {
        let test = try agentless()
        let status = try await test.up(try spec(test))
        #expect(status.way == .ssh && status.state == .running)
        let image = try #require(status.image?.digest)
        #expect(try test.world.images.way(into: image) == .ssh)
        let report = try await test.replace("tiny:2", strategy)
        #expect(report.outcome == .committed, "\(report)")
        #expect(try await test.engine.status(test.id).way == .ssh)
        #expect(test.world.hypervisor.violations.isEmpty)
    }

    @Test("each machine has a port of its own for SSH, which is not among the published ones, and goes with it")
    func port() async throws {
        let test = try agentless()
        let status = try await test.up(try spec(test))
        let first = try #require(try test.engine.workspace(test.id).access(test.machine(1))?.port)
        #expect(!status.ports.values.contains { $0.host == first })
        #expect(test.world.hypervisor.running(onPort: first) == test.machine(1))
        #expect(try await test.replace("tiny:2", .warmFirst).outcome == .committed)
        #expect(try test.engine.workspace(test.id).access(test.machine(1)) == nil)
        #expect(test.world.hypervisor.running(onPort: first) != test.machine(1))
        let second = try #require(try test.engine.workspace(test.id).access(test.machine(2))?.port)
        #expect(test.world.hypervisor.running(onPort: second) == test.machine(2))
    }

    @Test(
        "an agent that is asked for by name and never comes ends the wait when the console says that cloud-init ended"
    )
    func agentByName() async throws {
        let test = try agentless()
        var spec = try self.spec(test)
        spec.ready = [Check(.agent)]
        spec.volumes = [:]
        spec.readyTimeout = .seconds(900)
        let begin = ContinuousClock.now
        let error = await #expect(throws: KilnError.self) { try await test.up(spec) }
        #expect(error?.code == .readyFailed && error?.hint?.contains("qemu-guest-agent") == true)
        #expect(ContinuousClock.now - begin < .seconds(400))
    }

    @Test("a guest that is slow to answer after its set-up is waited for")
    func slow() async throws {
        let test = try agentless()
        test.world.guests.beSlow()
        #expect(try await test.up(try spec(test)).way == .ssh)
    }

    @Test("a guest with no way in is told at the end of its set-up, and what its image lacks")
    func closed() async throws {
        let test = try agentless(.closed)
        let error = await #expect(throws: KilnError.self) { try await test.up(try spec(test)) }
        #expect(error?.code == .readyFailed)
        #expect(error?.message.contains("no way in") == true)
    }

    @Test(
        "an image whose guests are known to be closed is refused for a server with volumes before anything is stopped"
    )
    func refused() async throws {
        let test = try LabTestWorld(["1": GuestBehaviour(), "2": GuestBehaviour(way: .closed)])
        try await test.up(try spec(test))
        let other = LabTestWorld.Side(test)
        try await other.up("tiny:2")
        let serving = try await test.engine.status(test.id)
        let error = await #expect(throws: KilnError.self) { _ = try await test.replace("tiny:2", .stopFirst) }
        #expect(error?.code == .imageNoWayIn && error?.exit == .aborted)
        let after = try await test.engine.status(test.id)
        #expect(after.instanceID == serving.instanceID && after.state == .running)
        #expect(test.world.hypervisor.starts(test.machine(1)) == 1)
    }

    @Test(
        "an image without agent is refused where the server asks for one by name, but not where user-data may bring it"
    )
    func byName() throws {
        let test = try agentless()
        let image = try test.world.images.add("3", GuestBehaviour(way: .ssh)).manifest
        var spec = try test.spec()
        #expect(throws: KilnError.self) { try spec.requireWay(.ssh, into: image) }
        try spec.requireWay(nil, into: image)
        spec.userData = .object(["packages": .array([.string("qemu-guest-agent")])])
        try spec.requireWay(.ssh, into: image)
    }

    @Test("a disk is as large as the server says, never smaller than its image, and kept with the generation")
    func disk() async throws {
        let test = try LabTestWorld()
        try test.world.images.add("3", cloudInit: .full)
        var spec = try self.spec(test, "tiny:3")
        spec.disk = .mebibytes(8)
        let error = await #expect(throws: KilnError.self) {
            _ = try await test.engine.plan(try test.lab([test.id.server: spec]))
        }
        #expect(error?.code == .imageLargerThanDisk)
        #expect(error?.message.contains("8MiB") == true && error?.message.contains("64MiB") == true)
        #expect(await #expect(throws: KilnError.self) { try await test.up(spec) }?.code == .imageLargerThanDisk)
        spec.disk = .mebibytes(256)
        let small = try test.world.images.add("4", cloudInit: .subset).manifest
        #expect(throws: KilnError.self) { try spec.requireRoom(for: small) }
        let planned = try await test.engine.plan(try test.lab([test.id.server: spec]))
        #expect(planned.servers.first?.changes.contains { $0.name == "disk" } == true)
        try await test.up(spec)
        let root = test.world.state.rootOverlay(
            test.id.machine(try #require(try await test.engine.status(test.id).generation))
        )
        #expect(try String(contentsOfFile: root, encoding: .utf8).contains("\t\(256 << 20)\n"))
    }
}

extension LabTestWorld {
    /// A second server of another lab, without a volume, in the same world.
    fileprivate struct Side {
        let test: LabTestWorld

        init(_ test: LabTestWorld) { self.test = test }

        func up(_ image: String) async throws {
            let server = try Name("side")
            let spec = ServerSpec(image: try ImageReference(image), ready: [], readyTimeout: .seconds(100))
            let lab = LabSpec(name: try Name("other"), volumes: [:], servers: [server: spec])
            _ = try await test.engine.up(lab)
        }
    }
}
