import Foundation
import KilnModel
import KilnSystem
import KilnTestSupport
import Synchronization
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

    /// Looks once, and tells what was decided.
    private func look() async throws -> (lines: [AutopilotLine], report: AutopilotReport) {
        let lines = Mutex<[AutopilotLine]>([])
        let report = try await engine.autopilot(world.id.lab, AutopilotOptions(isOnce: true)) { line in
            lines.withLock { $0.append(line) }
        }
        return (lines.withLock { $0 }, report)
    }

    private func replace(_ ordinal: Int, _ image: String) async throws {
        let options = ReplaceOptions(image: try ImageReference(image))
        #expect(try await engine.replace(server.member(ordinal), options).outcome == .committed)
    }

    private func declared(_ server: ServerID) throws -> ServerSpec? {
        try engine.lab(server.lab).servers[server.server]
    }

    // MARK: - What those who come are like

    @Test("those who come are like those who serve: they don't bring what is declared and was brought to nobody")
    func alike() async throws {
        try await up(spec(2))
        for ordinal in 0...1 { try await replace(ordinal, "tiny:2") }
        var other = try spec(2)
        other.memory = .mebibytes(512)
        try await up(other)
        #expect(try await perform(2, 3) == .done)
        let new = try engine.record(server.member(2))
        #expect(new.image.version == "2" && new.spec.memory == nil && new.spec.volumes.keys.map(\.text) == ["data-2"])
        let after = try declared(server)
        #expect(after?.replicas == 3 && after?.memory == .mebibytes(512) && after?.image == other.image)
    }

    @Test("a version that means another image by now brings nothing")
    func moved() async throws {
        try await up(spec(1, "tiny"))
        try world.world.images.add("3", GuestBehaviour(.silent))
        #expect(try await perform(1, 2) == .done)
        #expect(try engine.record(server.member(1)).image.digest == engine.record(world.id).image.digest)
    }

    @Test("where those who serve differ nobody comes, and the way on is told; one that is too many goes")
    func differ() async throws {
        try await up(spec(2))
        try await replace(1, "tiny:2")
        world.world.fronts.ask(70)
        let (lines, report) = try await look()
        #expect(lines.map(\.decision) == ["leave"] && report.exit == .halted)
        #expect(lines.first?.text.contains("'kiln replace lab/web'") == true)
        guard case .left(let why) = try await perform(2, 3) else {
            Issue.record("one came")
            return
        }
        #expect(why.contains("not all of one image and configuration"))
        #expect(try declared(server)?.replicas == 2 && engine.members(of: server).count == 2)
        world.world.fronts.ask(15)
        #expect(try await look().lines.map(\.decision) == ["scale-in", "scaled"])
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

    // MARK: - Rollouts, and the end of the lab

    @Test(
        "while members come or go no rollout begins and nobody takes the lab down, however few there are",
        arguments: [(1, 2, "define"), (2, 1, "requestShutdown")]
    )
    func keepsOut(_ from: Int, _ to: Int, _ call: String) async throws {
        try await up(spec(from))
        let held = Mutex(0)
        let looked = Mutex(0)
        let path = state.rollout(server) + ".lock"
        world.world.faults.before(call) {
            looked.withLock { $0 += 1 }
            if (try? FileLock(path, subject: "the rollout of lab/web")) == nil { held.withLock { $0 += 1 } }
        }
        #expect(try await perform(from, to) == .done)
        #expect(held.withLock { $0 } > 0 && held.withLock { $0 } == looked.withLock { $0 })
    }

    @Test("while a rollout is driven or waits, or the lab is taken down, nobody comes or goes")
    func isKeptOut() async throws {
        var spec = try spec(2)
        spec.fleet?.rollout = RolloutSpec(canaries: 1, pause: .untilPromoted)
        try await up(spec)
        do {
            let lock = try await RolloutFiles(server: server, state: state).lock()
            defer { withExtendedLifetime(lock) {} }
            guard case .left(let why) = try await perform(2, 3) else {
                Issue.record("one came")
                return
            }
            #expect(why.contains("the rollout of lab/web is being changed"))
        }
        _ = try await engine.rollOut(server, ReplaceOptions(image: ImageReference("tiny:2")))
        #expect(try await perform(2, 1) == .left("a rollout is open"))
        #expect(try declared(server)?.replicas == 2 && engine.members(of: server).count == 2)
    }

    @Test("a lab whose members come or go is not taken down; once that has ended it is")
    func down() async throws {
        try await up(spec(1))
        do {
            let lock = try #require(try engine.lockNumber(of: server))
            defer { withExtendedLifetime(lock) {} }
            let error = await #expect(throws: KilnError.self) { try await engine.down(world.id.lab) }
            #expect(error?.code == .lockHeld && error?.exit == .blocked && error?.message.contains("lab/web") == true)
            #expect(world.world.hypervisor.alive == [world.machine(1)])
        }
        try await engine.down(world.id.lab)
        #expect(world.world.hypervisor.alive.isEmpty && !world.exists(state.lab(world.id.lab)))
    }
}
