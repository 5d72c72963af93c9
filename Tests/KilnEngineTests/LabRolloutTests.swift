import KilnEngine
import KilnModel
import KilnTestSupport
import Synchronization
import Testing

@Suite("A rollout of a server's members")
struct LabRolloutTests {
    private let world: LabTestWorld
    private var engine: LabEngine { world.engine }
    private var server: ServerID { world.id.whole }

    init() throws {
        world = try LabTestWorld(["1": GuestBehaviour(), "2": GuestBehaviour(), "3": GuestBehaviour(.silent)])
    }

    private func up(_ replicas: Int = 3, _ change: (inout RolloutSpec) -> Void = { _ in }) async throws {
        var spec = try world.spec()
        spec.drainTimeout = .milliseconds(60)
        var rollout = RolloutSpec()
        change(&rollout)
        spec.fleet = FleetSpec(replicas: replicas, rollout: rollout)
        _ = try await engine.up(world.lab([world.id.server: spec]))
    }

    private func rollOut(_ image: String) async throws -> RolloutReport {
        try await engine.rollOut(server, ReplaceOptions(image: ImageReference(image)))
    }

    private func versions() async throws -> [String] {
        try await engine.statuses(world.id.lab).map { $0.image?.version ?? "-" }
    }

    private func serving() -> [Int] {
        world.world.fronts.plan(server)?.slots.filter { $0.standing == .serving }.map(\.ordinal) ?? []
    }

    @Test("all get the new image, the highest ordinal first, never more than one out at once")
    func all() async throws {
        try await up()
        let out = Mutex<[[Int]]>([])
        world.world.faults.before("requestShutdown") { [self] in out.withLock { $0.append(serving()) } }
        let report = try await rollOut("tiny:2")
        #expect(report.outcome == .completed && report.new == [2, 1, 0] && report.exit == .done)
        #expect(try await versions() == ["2", "2", "2"] && serving() == [0, 1, 2])
        #expect(out.withLock { $0 } == [[0, 1], [0, 2], [1, 2]])
    }

    @Test(
        "an image that is bad from the start stops at the first member, which has reverted: the others never were out"
    )
    func bad() async throws {
        try await up()
        let report = try await rollOut("tiny:3")
        #expect(report.outcome == .rolledBack && report.exit == .reverted && report.new.isEmpty)
        #expect(try await versions() == ["1", "1", "1"] && serving() == [0, 1, 2])
        #expect(try engine.history(server.member(0)).operations.count == 1)
    }

    @Test("one that breaks at the last member brings the others back, with their data")
    func breaksLater() async throws {
        try await up()
        #expect(world.world.hypervisor.write("kept", by: server.member(2).machine(Generation(1))))
        world.world.guests.answer("/bin/is-fine") { machine in
            machine.member.ordinal == 0 && machine.generation == Generation(2) ? 1 : 0
        }
        var spec = try world.spec()
        spec.drainTimeout = .milliseconds(60)
        spec.verify = [Check(.exec(["/bin/is-fine"]))]
        spec.fleet = FleetSpec(replicas: 3)
        _ = try await engine.up(world.lab([world.id.server: spec]))
        let report = try await rollOut("tiny:2")
        #expect(report.outcome == .rolledBack && report.failure?.ordinal == 0)
        #expect(try await versions() == ["1", "1", "1"] && serving() == [0, 1, 2])
        #expect(try world.world.written(lab: world.id.lab, volume: Name("data-2")) == ["kept"])
    }

    @Test("with 'pause: until-promoted' the canary serves alone until a person decides")
    func canary() async throws {
        try await up { ($0.canaries, $0.pause) = (1, .untilPromoted) }
        let paused = try await rollOut("tiny:2")
        #expect(paused.standing == .paused && paused.new == [2] && paused.exit == .done)
        #expect(try await versions() == ["1", "1", "2"])
        let second = await #expect(throws: KilnError.self) { try await rollOut("tiny:2") }
        #expect(second?.code == .rolloutOpen)
        let report = try await engine.command(.promote(isFull: false), on: server)
        #expect(report.outcome == .completed)
        #expect(try await versions() == ["2", "2", "2"])
        let undone = try await engine.command(.undo, on: server)
        #expect(undone.outcome == .rolledBack)
        #expect(try await versions() == ["1", "1", "1"] && serving() == [0, 1, 2])
    }

    @Test("the canary is taken back where it is aborted")
    func aborted() async throws {
        try await up { ($0.canaries, $0.pause) = (1, .untilPromoted) }
        _ = try await rollOut("tiny:2")
        let report = try await engine.command(.abort, on: server)
        #expect(report.outcome == .aborted && report.exit == .done)
        #expect(try await versions() == ["1", "1", "1"])
        let again = await #expect(throws: KilnError.self) { try await engine.command(.abort, on: server) }
        #expect(again?.code == .rolloutNone)
    }

    @Test("new members that answer worse under load are taken back")
    func judged() async throws {
        try await up { $0.judge = RolloutJudgeSpec(requests: 10) }
        let good = (0..<20).map { FrontAnswer(ordinal: $0 % 2, isGood: true, milliseconds: 10) }
        let bad = (0..<20).map { _ in FrontAnswer(ordinal: 2, isGood: false, milliseconds: 10) }
        world.world.fronts.answer(good + bad)
        let report = try await rollOut("tiny:2")
        #expect(report.outcome == .rolledBack && report.failure?.code == .rolloutJudged)
        #expect(try await versions() == ["1", "1", "1"])
    }

    @Test("without enough answers a person decides")
    func inconclusive() async throws {
        try await up {
            $0.judge = RolloutJudgeSpec(requests: 10)
            $0.progressDeadline = .milliseconds(200)
        }
        let report = try await rollOut("tiny:2")
        #expect(report.standing == .paused && report.failure?.code == .rolloutJudged && report.exit == .blocked)
        #expect(try await engine.command(.promote(isFull: true), on: server).outcome == .completed)
    }

    @Test(
        "a member that fell by itself is out: no other is taken out beside it, and it is replaced first where its turn is"
    )
    func fell() async throws {
        try await up { $0.progressDeadline = .milliseconds(200) }
        world.world.hypervisor.set(server.member(0).machine(Generation(1)), .off)
        let report = try await rollOut("tiny:2")
        #expect(report.outcome == .completed)
        #expect(try await versions() == ["2", "2", "2"])
    }

    @Test("what was killed in the middle is taken up by the next command, which replaces nobody twice")
    func killed() async throws {
        try await up()
        let made = Mutex(0)
        world.world.faults.before("define") { [faults = world.world.faults] in
            made.withLock { $0 += 1 }
            if made.withLock({ $0 }) == 2 { faults.arm(.crashAfter, at: 3) }
        }
        _ = try? await rollOut("tiny:2")
        world.world.faults.before("define", nil)
        world.world.faults.disarm()
        try world.world.reviveAfterCrash()
        let report = try #require(try engine.rollout(of: server))
        #expect(report.standing == .interrupted)
        let taken = try await engine.takeUpRollout(of: server)
        #expect(taken?.outcome == .completed)
        #expect(try await versions() == ["2", "2", "2"])
        #expect(try engine.history(server.member(2)).operations.count == 2)
    }

    @Test("where the lab is declared otherwise in the middle, the rollout goes on to what it began with")
    func declaredOtherwise() async throws {
        try await up { ($0.canaries, $0.pause) = (1, .untilPromoted) }
        _ = try await rollOut("tiny:2")
        var spec = try world.spec()
        spec.memory = .mebibytes(512)
        spec.fleet = FleetSpec(replicas: 3)
        _ = try await engine.up(world.lab([world.id.server: spec]))
        #expect(try await engine.command(.promote(isFull: false), on: server).outcome == .completed)
        #expect(try engine.record(server.member(0)).spec.memory == nil)
    }

    @Test("there is nothing to promote where none ever began, and nothing to abort either")
    func none() async throws {
        try await up()
        for command in [RolloutCommand.promote(isFull: false), .abort] {
            let missing = await #expect(throws: KilnError.self) { try await engine.command(command, on: server) }
            #expect(missing?.code == .rolloutNone)
        }
    }

    @Test("what it has brought is what is declared, whether that names the image by its version or by its digest")
    func isDeclared() async throws {
        try await up()
        _ = try await rollOut("tiny:2")
        var spec = try world.spec()
        spec.drainTimeout = .milliseconds(60)
        spec.fleet = FleetSpec(replicas: 3, rollout: RolloutSpec())
        func kinds() async throws -> Set<PlannedAction.Kind> {
            Set(try await engine.plan(world.lab([world.id.server: spec])).servers.map(\.kind))
        }
        #expect(try await kinds() == [.differs])
        spec.image = try ImageReference("tiny:2")
        #expect(try await kinds() == [.nothing])
    }

    @Test("an image that is not there is refused before anything is begun, as of one server")
    func noImage() async throws {
        try await up()
        let error = await #expect(throws: KilnError.self) { try await rollOut("tiny:9") }
        #expect(error?.code == .imageMissing && error?.exit == .aborted)
        #expect(try engine.rollout(of: server) == nil)
    }

    @Test(
        "killed before or after any call, it is taken up: all end new, no data is lost, never more than one is out"
    )
    func killedAnywhere() async throws {
        var call = 1
        var deaths = 0
        while true {
            let isDone = try await !kill(at: call, call % 2 == 0 ? .crashBefore : .crashAfter)
            if isDone { break }
            deaths += 1
            // Each takes some seconds; odd, so that a death before and after a call take turns.
            call += 53
        }
        #expect(deaths > 5)
    }

    /// Whether it died.
    private func kill(at call: Int, _ kind: Faults.Kind) async throws -> Bool {
        let other = try LabRolloutTests()
        try await other.up()
        let faults = other.world.world.faults
        for ordinal in 0..<3 {
            let machine = other.server.member(ordinal).machine(Generation(1))
            #expect(other.world.world.hypervisor.write("kept \(ordinal)", by: machine))
        }
        let most = Mutex(0)
        faults.before("requestShutdown") {
            let out = 3 - other.serving().count
            most.withLock { $0 = max($0, out) }
        }
        faults.arm(kind, at: call)
        _ = try? await other.rollOut("tiny:2")
        guard let fired = faults.disarm() else { return false }
        try other.world.world.reviveAfterCrash()
        // Killed before it had begun, there is nothing to take up.
        if try other.engine.rollout(of: other.server) == nil {
            #expect(try await other.versions() == ["1", "1", "1"], "\(call): \(fired)")
            return true
        }
        let report = try await other.engine.takeUpRollout(of: other.server)
        #expect(
            try await other.versions() == ["2", "2", "2"],
            "\(call): \(fired): \(report?.sentence ?? "no report"); \(other.world.world.progress.suffix(12))"
        )
        #expect(other.serving() == [0, 1, 2] && most.withLock { $0 } <= 1, "\(call): \(fired)")
        for ordinal in 0..<3 {
            let volume = try other.server.member(ordinal).own(Name("data"))
            let written = try other.world.world.written(lab: other.world.id.lab, volume: volume)
            #expect(written == ["kept \(ordinal)"], "\(call): \(fired)")
        }
        return true
    }
}
