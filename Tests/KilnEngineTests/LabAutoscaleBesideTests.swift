import Foundation
import KilnModel
import KilnSystem
import KilnTestSupport
import Testing

@testable import KilnEngine

@Suite("An autopilot that lets members come and go beside what others do")
struct LabAutoscaleBesideTests {
    private let world: LabTestWorld
    private var engine: LabEngine { world.engine }
    private var server: ServerID { world.id.whole }
    private var state: StateDirectory { world.world.state }

    init() throws { world = try LabTestWorld() }

    private func spec(_ replicas: Int, _ image: String = "tiny:1") throws -> ServerSpec {
        var spec = try world.spec(image)
        spec.drainTimeout = .milliseconds(60)
        spec.fleet = FleetSpec(replicas: replicas)
        spec.autoscale = AutoscaleSpec(max: 4, target: .requests(20), cooldown: .milliseconds(1))
        return spec
    }

    private func up(_ spec: ServerSpec) async throws { _ = try await engine.up(world.lab([world.id.server: spec])) }

    /// Does what an autopilot has decided.
    private func perform(_ from: Int, _ to: Int, of other: ServerID? = nil) async throws -> AutoscaleEnd {
        let figures = AutoscaleFigures(load: 50, serving: from, target: .requests(20), window: .seconds(20))
        let move = AutoscaleMove(other ?? server, from: from, to: to, figures: figures)
        return try await AutopilotMover(engine: engine).perform(move, isBegun: false)
    }

    private func declared(_ server: ServerID) throws -> ServerSpec? {
        try engine.lab(server.lab).servers[server.server]
    }

    // MARK: - What others declare meanwhile

    /// Begins moves that wait for the list of labs, changes what is declared, and lets them go on.
    private func whileWaiting(
        _ servers: [ServerID],
        _ change: (LabSpec) -> LabSpec
    ) async throws -> [AutoscaleEnd] {
        let moves: [Task<AutoscaleEnd, any Error>]
        do {
            let lock = try await engine.lockLabs()
            defer { withExtendedLifetime(lock) {} }
            moves = servers.map { server in Task { try await perform(1, 2, of: server) } }
            let end = ContinuousClock.now + .seconds(20)
            while waiting < servers.count, ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(2)) }
            let lab = try change(engine.lab(world.id.lab))
            try DurableFile.writeJSON(lab, to: state.lab(lab.name) + "/lab.json", mode: 0o600)
        }
        var ends: [AutoscaleEnd] = []
        for move in moves { ends.append(try await move.value) }
        return ends
    }

    private var waiting: Int {
        world.world.progress.count { if case .note(let text) = $0 { text.hasPrefix("waiting: ") } else { false } }
    }

    @Test("two servers that change at once keep each other's number, and what is declared meanwhile stays")
    func atOnce() async throws {
        let api = ServerID(lab: world.id.lab, server: try Name("api"))
        var plain = try spec(1)
        plain.volumes = [:]
        _ = try await engine.up(world.lab([world.id.server: spec(1), api.server: plain]))
        let ends = try await whileWaiting([server, api]) { lab in
            var other = lab.servers[api.server] ?? plain
            other.memory = .mebibytes(512)
            return lab.with([api.server: other])
        }
        #expect(ends == [.done, .done])
        #expect(try declared(server)?.replicas == 2 && declared(api)?.replicas == 2)
        #expect(try declared(api)?.memory == .mebibytes(512))
    }

    @Test("where a person has given it another number meanwhile, that holds")
    func byHand() async throws {
        try await up(spec(1))
        let ends = try await whileWaiting([server]) { lab in
            var other = lab.servers[server.server]
            other?.fleet?.replicas = 3
            return other.map { lab.with([server.server: $0]) } ?? lab
        }
        #expect(ends == [.left("another command gave it another number of members meanwhile")])
        #expect(try declared(server)?.replicas == 3 && engine.members(of: server).count == 1)
    }

    @Test("of a lab that was taken down no number is written, and nothing comes back")
    func gone() async throws {
        try await up(spec(1))
        try await engine.down(world.id.lab)
        let error = await #expect(throws: KilnError.self) { try await engine.declare(server, 2) }
        #expect(error?.code == .labMissing && !world.exists(state.lab(world.id.lab)))
    }
}
