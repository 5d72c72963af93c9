import KilnModel
import KilnSystem
import KilnTestSupport
import Synchronization
import Testing

@testable import KilnEngine

@Suite("An autopilot that lets members come and go")
struct LabAutoscaleTests {
    private let world: LabTestWorld
    private var engine: LabEngine { world.engine }
    private var fronts: FakeFronts { world.world.fronts }
    private var server: ServerID { world.id.whole }
    private var files: AutopilotFiles { AutopilotFiles(lab: world.id.lab, state: world.world.state) }

    init() throws { world = try LabTestWorld() }

    private func spec(_ replicas: Int, cooldown: Duration = .milliseconds(1), max: Int = 4) throws -> ServerSpec {
        var spec = try world.spec()
        spec.drainTimeout = .milliseconds(60)
        spec.fleet = FleetSpec(replicas: replicas)
        spec.autoscale = AutoscaleSpec(max: max, target: .requests(20), cooldown: cooldown)
        return spec
    }

    private func up(_ spec: ServerSpec) async throws { _ = try await engine.up(world.lab([world.id.server: spec])) }

    /// Looks once, and tells what was decided.
    private func look(isDryRun: Bool = false) async throws -> (words: [String], report: AutopilotReport) {
        let lines = Mutex<[AutopilotLine]>([])
        let options = AutopilotOptions(isDryRun: isDryRun, isOnce: true)
        let report = try await engine.autopilot(world.id.lab, options) { line in lines.withLock { $0.append(line) } }
        return (lines.withLock { $0 }.map { "\($0.decision) \($0.member.title)" }, report)
    }

    private func serving() -> [Int] {
        fronts.plan(server)?.slots.filter { $0.standing == .serving }.map(\.ordinal) ?? []
    }

    private func replicas() throws -> Int? { try engine.lab(world.id.lab).servers[world.id.server]?.replicas }

    private func notes() -> [String] {
        world.world.progress.compactMap { if case .note(let text) = $0 { text } else { nil } }
    }

    @Test("more members come where there is more to do, the lab says how many there are, and the journal why")
    func out() async throws {
        try await up(spec(2))
        fronts.ask(70)
        let end = try await look()
        #expect(end.words == ["scale-out web", "scaled web"] && end.report.done == 1 && end.report.exit == .done)
        #expect(try replicas() == 4 && serving() == [0, 1, 2, 3])
        let line = try #require(try engine.autopilotRecords(of: world.id).first?.event.line)
        #expect(line.scaling?.from == 2 && line.scaling?.to == 4 && line.scaling?.figures.serving == 2)
        #expect(line.text.contains("requests a second each") && line.text.contains("from 2 members to 4"), "\(line)")
        // They have what they are to have.
        #expect(try await look().words.isEmpty)
    }

    @Test("one goes where fewer would do, and its volume with it; one that comes again takes that up")
    func inAndOut() async throws {
        try await up(spec(3))
        #expect(world.world.hypervisor.write("mine", by: server.member(2).machine(Generation(1))))
        fronts.ask(30)
        #expect(try await look().words == ["scale-in web", "scaled web"])
        #expect(try replicas() == 2 && serving() == [0, 1] && engine.volumes.retained().count == 1)
        fronts.ask(50)
        #expect(try await look().words == ["scale-out web", "scaled web"])
        #expect(try world.world.written(lab: world.id.lab, volume: Name("data-2")) == ["mine"])
        #expect(try engine.volumes.retained().isEmpty)
    }

    @Test("after members came none goes for a time, also by an autopilot that begins only then; more may come")
    func calm() async throws {
        try await up(spec(2, cooldown: .seconds(600)))
        fronts.ask(50)
        #expect(try await look().words == ["scale-out web", "scaled web"])
        fronts.ask(30)
        #expect(try await look().words == ["wait web"])
        fronts.ask(70)
        #expect(try await look().words == ["scale-out web", "scaled web"])
        #expect(try replicas() == 4)
    }

    @Test("while a member is not ready none comes or goes; where it is to be healed that comes first")
    func unready() async throws {
        try await up(spec(2))
        fronts.ask(70)
        let second = server.member(1).machine(Generation(1))
        world.world.hypervisor.set(second, .off)
        #expect(try await look().words == ["leave web"])
        var healed = try spec(2)
        healed.heal = HealSpec()
        try await up(healed)
        world.world.hypervisor.set(second, .off)
        #expect(try await look().words == ["start web.1", "leave web", "serves web.1"])
        #expect(try replicas() == 2)
    }

    @Test("a server whose rollout is open, or on which a person's command works, is left alone")
    func others() async throws {
        var spec = try spec(2)
        spec.fleet?.rollout = RolloutSpec(canaries: 1, pause: .untilPromoted)
        try await up(spec)
        fronts.ask(70)
        do {
            let lock = try FileLock(world.world.state.member(world.id) + "/lock", subject: "server lab/web")
            defer { withExtendedLifetime(lock) {} }
            #expect(try await look().words == ["leave web"])
        }
        _ = try await engine.rollOut(server, ReplaceOptions(image: ImageReference("tiny:2")))
        #expect(try await look().words == ["leave web"])
        #expect(try replicas() == 2)
    }

    @Test("as many come as the host has memory for", arguments: [(160, 3), (64, 2)])
    func memory(_ free: UInt64, _ expected: Int) async throws {
        try await up(spec(2))
        world.world.haveMemory(.mebibytes(free))
        fronts.ask(70)
        #expect(try await look().words == (expected == 3 ? ["scale-out web", "scaled web"] : ["wait web"]))
        #expect(try replicas() == expected)
    }

    @Test("a dry run tells, and changes nothing")
    func dryRun() async throws {
        try await up(spec(2))
        fronts.ask(70)
        #expect(try await look(isDryRun: true).words == ["scale-out web"])
        #expect(try replicas() == 2 && engine.autopilotRecords(of: world.id).isEmpty)
    }

    @Test("where new members can't come the lab has those that there are, and it is not tried again at once")
    func fails() async throws {
        try await up(spec(2))
        fronts.ask(70)
        world.world.faults.fail("define", with: KilnError("fake.failed", "no", exit: .aborted))
        let end = try await look()
        #expect(end.words == ["scale-out web", "failed web"] && end.report.exit == .aborted)
        #expect(try replicas() == 2 && serving() == [0, 1] && engine.members(of: server).count == 2)
        world.world.faults.fail("define", with: nil)
        #expect(try await look().words == ["wait web"])
    }

    @Test("what an autopilot that was killed had begun is ended")
    func interrupted() async throws {
        try await up(spec(2))
        try await dieWhile(2, becomes: 3)
        #expect(try replicas() == 3 && serving() == [0, 1])
        fronts.ask(50)
        #expect(try await look().words == ["scale-out web", "scaled web"])
        #expect(serving() == [0, 1, 2])
    }

    /// Has an autopilot of this server die while it let members come.
    private func dieWhile(_ from: Int, becomes to: Int, boot: String = HostUptime.now.bootID) async throws {
        let figures = AutoscaleFigures(load: 50, serving: from, target: .requests(20), window: .seconds(20))
        let move = AutoscaleMove(server, from: from, to: to, figures: figures)
        try files.journal.append(AutopilotRecord(.scaling(move, at: AutopilotClock.now), boot: boot))
        world.world.faults.fail("define", with: KilnError("fake.failed", "no", exit: .aborted))
        await #expect(throws: KilnError.self) { try await engine.scale(server, to: to) }
        world.world.faults.fail("define", with: nil)
    }

    @Test("a member that a person stopped stays off where others come")
    func stopped() async throws {
        try await up(spec(2))
        try await dieWhile(2, becomes: 3)
        try await engine.stop(server.member(1))
        #expect(try await look().words == ["scale-out web", "scaled web"])
        #expect(try serving() == [0, 2] && engine.history(server.member(1)).isWantedOn == false)
    }

    @Test("what was begun before the host was booted again is ended as well")
    func hostBooted() async throws {
        try await up(spec(2))
        try await dieWhile(2, becomes: 3, boot: "another")
        fronts.ask(50)
        #expect(try await look().words == ["scale-out web", "scaled web"])
        #expect(serving() == [0, 1, 2])
    }

    @Test("none comes or goes in the same look in which a member's replacement begins")
    func renewal() async throws {
        var due = try spec(2)
        due.heal = HealSpec()
        due.maxAge = .milliseconds(1)
        try await up(due)
        for ordinal in 0...1 { try world.age(server.member(ordinal).machine(Generation(1))) }
        fronts.ask(70)
        #expect(try await look().words == ["renew web.1", "leave web", "serves web.1"])
        #expect(try replicas() == 2)
    }

    @Test(
        "'up' keeps the number that there is, within the limits of the file, and says so; a first 'up' takes the file's"
    )
    func keeps() async throws {
        try await up(spec(1))
        #expect(serving() == [0])
        _ = try await engine.scale(server, to: 4)
        try await up(spec(1))
        #expect(try replicas() == 4 && serving() == [0, 1, 2, 3])
        #expect(notes().contains { $0.contains("lab/web: 4 members, as it has them by 'autoscale'") }, "\(notes())")
        #expect(try await engine.plan(world.lab([world.id.server: spec(1)])).servers.count == 4)
        try await up(spec(1, max: 3))
        #expect(serving() == [0, 1, 2])
        var plain = try spec(2)
        plain.autoscale = nil
        try await up(plain)
        #expect(serving() == [0, 1])
        // Whoever turns it on says with how many it begins.
        try await up(spec(3))
        #expect(serving() == [0, 1, 2])
    }

    @Test("a person may let it have as many as its limits allow")
    func byHand() async throws {
        try await up(spec(1))
        let error = await #expect(throws: KilnError.self) { try await engine.scale(server, to: 5) }
        #expect(error?.code == .serverReplicas && error?.message.contains("allows 1 to 4") == true)
        #expect(try await engine.scale(server, to: 2).count == 2)
    }

    @Test("a change of 'autoscale' makes no machine differ from its declaration")
    func differs() async throws {
        try await up(spec(1))
        let plan = try await engine.plan(world.lab([world.id.server: spec(1, cooldown: .seconds(5), max: 7)]))
        #expect(plan.servers.map(\.kind) == [.nothing])
    }
}
