import Foundation
import KilnModel
import Testing

@Suite("How many members an autopilot wants")
struct AutoscaleTests {
    private typealias Stage = AutoscaleStage

    /// What is decided of members that have had so many requests for a minute and a half.
    struct Case: Sendable {
        let replicas: Int
        let requests: Int
        let expected: String?
        var bound = AutoscaleMove.Bound.none
        var room: Int?
    }

    static let cases = [
        // Nearly what is wanted is what is wanted.
        Case(replicas: 2, requests: 40, expected: nil), Case(replicas: 2, requests: 44, expected: nil),
        Case(replicas: 2, requests: 36, expected: nil), Case(replicas: 2, requests: 45, expected: "2 to 3"),
        Case(replicas: 3, requests: 80, expected: "3 to 4"), Case(replicas: 2, requests: 80, expected: "2 to 4"),
        Case(replicas: 2, requests: 200, expected: "2 to 4", bound: .doubling),
        Case(replicas: 1, requests: 200, expected: "1 to 2", bound: .doubling),
        Case(replicas: 6, requests: 400, expected: "6 to 8", bound: .limit),
        Case(replicas: 8, requests: 400, expected: "wait"),
        Case(replicas: 4, requests: 20, expected: "4 to 3", bound: .oneByOne),
        Case(replicas: 2, requests: 20, expected: "2 to 1"),
        Case(replicas: 2, requests: 0, expected: "2 to 1", bound: .limit),
        Case(replicas: 1, requests: 0, expected: nil),
        Case(replicas: 2, requests: 80, expected: "2 to 3", bound: .memory, room: 1),
        Case(replicas: 2, requests: 80, expected: "wait", room: 0),
        // Limits that were changed.
        Case(replicas: 10, requests: 400, expected: "10 to 9", bound: .oneByOne),
    ]

    @Test("of each kind of load", arguments: cases)
    func table(_ one: Case) {
        var stage = Stage(one.replicas, requests: one.requests)
        stage.server.room = one.room
        let decision = stage.look(for: 90)
        #expect(decision?.word == one.expected, "\(one)")
        if case .act(let move)? = decision { #expect(move.bound == one.bound, "\(move)") }
    }

    @Test("why nothing is done is said with the figures")
    func waits() {
        func wait(_ replicas: Int, _ requests: Int, room: Int? = nil, for seconds: Int = 90) -> AutoscaleWait? {
            var stage = Stage(replicas, requests: requests)
            stage.server.room = room
            if case .wait(_, let wait)? = stage.look(for: seconds) { return wait }
            return nil
        }
        #expect(wait(8, 400) == .most(wanted: 20, most: 8))
        #expect(wait(2, 80, room: 0) == .memory(wanted: 4))
        #expect(wait(4, 20, for: 20) == .lasting(wanted: 1, needed: .seconds(30)))
    }

    @Test("a queue is what waited at each look, on the average")
    func queue() throws {
        var stage = Stage(2, AutoscaleSpec(max: 8, target: .queue(3)))
        stage.waiting = 12
        let decision = stage.look(for: 16)
        #expect(decision?.word == "2 to 4")
        guard case .act(let move)? = decision else { return }
        #expect(move.figures.load == 12 && move.figures.each == 6 && move.figures.window == .seconds(16))
        stage = Stage(2, AutoscaleSpec(max: 8, target: .queue(3)))
        for look in 0..<8 {
            stage.waiting = look == 5 ? 54 : 0
            _ = stage.look()
            stage.pass()
        }
        // 54 at one of 9 looks are 6.
        #expect(stage.look() == nil)
    }

    @Test("before a load was measured for a whole window nothing is decided")
    func window() {
        var stage = Stage(2, requests: 80)
        #expect(stage.look(for: 14) == nil)
        stage.pass()
        #expect(stage.look()?.word == "2 to 4")
        // However long the cooldown is, more than 20 s are not needed for that.
        stage = Stage(2, requests: 80, AutoscaleSpec(max: 8, target: .requests(20), cooldown: .seconds(600)))
        #expect(stage.look(for: 18) == nil)
        stage.pass()
        #expect(stage.look()?.word == "2 to 4")
    }

    @Test("one goes once fewer were wanted for half of the cooldown: a single moment of more begins it anew")
    func stabilization() {
        var stage = Stage(3, requests: 20)
        #expect(stage.look(for: 30)?.word == "wait")
        stage.pass()
        #expect(stage.look()?.word == "3 to 2")
        stage = Stage(3, requests: 20)
        _ = stage.look(for: 20)
        stage.requests = 600
        stage.pass()
        stage.requests = 20
        #expect(stage.look(for: 28)?.word == "wait")
        stage.pass()
        #expect(stage.look()?.word == "3 to 2")
    }

    @Test("members follow within the cooldown, however often the load comes and goes", arguments: [20, 60])
    func follows(_ cooldown: Int) {
        var stage = Stage(1, requests: 15, AutoscaleSpec(max: 2, target: .requests(20), cooldown: .seconds(cooldown)))
        #expect(stage.look(for: 90) == nil)
        for (requests, word) in [(30, "1 to 2"), (15, "2 to 1"), (30, "1 to 2")] {
            stage.requests = requests
            let changed = stage.now
            var decision = stage.look()
            while decision?.word != word, stage.now - changed < .seconds(cooldown) {
                stage.pass()
                decision = stage.look()
            }
            #expect(decision?.word == word && stage.now - changed < .seconds(cooldown), "\(stage.now - changed)")
            stage.act(decision, took: 0)
        }
    }

    @Test("after members came or went, whoever did it, what is needed for the next ones is measured anew")
    func anew() {
        var stage = Stage(2, requests: 200)
        stage.act(stage.look(for: 16))
        #expect(stage.server.replicas == 4 && stage.look(for: 14) == nil)
        stage.pass()
        #expect(stage.look()?.word == "4 to 8")
        var other = Stage(2, requests: 200)
        _ = other.look(for: 10)
        (other.server.replicas, other.server.serving) = (3, 3)
        #expect(other.look(for: 14) == nil)
        other.pass()
        #expect(other.look()?.word == "3 to 6")
    }

    @Test("members that could not come are tried again less and less often; what was left alone counts for nothing")
    func failures() {
        let failed = AutoscaleEnd.failed(AutopilotFailure(.launchFailed, "no"))
        var stage = Stage(2, AutoscaleSpec(max: 8, target: .requests(20), cooldown: .seconds(5)))
        stage.requests = 80
        stage.act(stage.look(for: 2), failed, took: 0)
        for pause in [10, 20, 40] {
            #expect(stage.look(for: pause - 2)?.word == "wait")
            stage.pass()
            let next = stage.look()
            #expect(next?.word == "2 to 4")
            stage.act(next, failed, took: 0)
        }
        stage.state.apply(.scaled(Stage.server, .left("somebody was faster"), at: stage.now))
        #expect(stage.look(for: 78)?.word == "wait" && stage.look(for: 4)?.word == "2 to 4")
    }

    @Test(
        "whatever disturbs it is no time to measure, and afterwards it begins anew",
        arguments: [
            AutoscaleWait.Left.rollout, .atWork, .healing, .unfinished, .unready(serving: 1, of: 2),
            .unknown("no front of it tells how many requests there are"),
        ]
    )
    func disturbed(_ left: AutoscaleWait.Left) {
        var stage = Stage(2, requests: 80)
        _ = stage.look(for: 12)
        stage.pass()
        let before = stage.server
        switch left {
        case .rollout: stage.server.hasRollout = true
        case .atWork: stage.server.isLocked = true
        case .healing: stage.server.isHealing = true
        case .unfinished: stage.server.isUnfinished = true
        case .unready: stage.server.serving = 1
        case .unknown: stage.server.load = nil
        case .mixed: Issue.record("that disturbs no measuring")
        }
        #expect(stage.lookAsIs() == .wait(Stage.server, .left(left)))
        stage.pass()
        stage.server = before
        #expect(stage.look(for: 14) == nil)
        stage.pass()
        #expect(stage.look()?.word == "2 to 4")
    }

    @Test("where its members differ none comes, for nobody can say what it should be; it is measured on, and one goes")
    func mixed() {
        var stage = Stage(2, requests: 80)
        stage.server.isMixed = true
        #expect(stage.look(for: 90) == .wait(Stage.server, .left(.mixed)))
        stage.server.isMixed = false
        #expect(stage.look()?.word == "2 to 4")
        stage = Stage(2, requests: 20)
        stage.server.isMixed = true
        #expect(stage.look(for: 90)?.word == "2 to 1")
    }

    @Test("a host that slept, a front that began anew, other limits: what was measured before counts no more")
    func gaps() {
        var stage = Stage(4, requests: 80)
        _ = stage.look(for: 90)
        // Nobody asked for anything while the host slept.
        stage.now += .seconds(3600)
        #expect(stage.look(for: 14) == nil && stage.look(for: 90) == nil)
        stage.server.load = FrontLoad(process: 2, answered: 0, waiting: 0)
        #expect(stage.look(for: 14) == nil)
        stage.server.spec.max = 3
        #expect(stage.look(for: 14) == nil)
        #expect(stage.look(for: 40)?.word == "4 to 3")
        stage = Stage(2, requests: 80)
        _ = stage.look(for: 14)
        stage.pass()
        // A look that took much too long.
        #expect(stage.look(took: .seconds(60)) == nil)
    }

    @Test("members of two servers don't get the same memory twice: neither in one look nor while those of one come")
    func sharedMemory() throws {
        let api = ServerID(lab: Stage.server.lab, server: try Name("api"))
        var state = AutoscaleState(beat: .seconds(2))
        var observed = AutoscaleObservation(began: .seconds(1000), now: .seconds(1000), servers: [:])
        func words() -> [String] {
            var decisions: [AutoscaleDecision] = []
            for beat in 0...10 {
                for (id, memory) in [(api, UInt64(512)), (Stage.server, 256)] {
                    var server = AutoscaleObservation.Server(Stage.spec, replicas: 2)
                    server.memory = .mebibytes(memory)
                    server.room = Int(1280 / memory)
                    server.load = FrontLoad(process: 1, answered: 160 * beat, waiting: 0)
                    server.loadTime = observed.now
                    observed.servers[id] = server
                }
                observed.began = observed.now
                state.look(observed)
                decisions = state.next(observed)
                observed.now += .seconds(2)
            }
            return decisions.map(\.word)
        }
        // 1,280 MiB are 2 of 512 and 1 of 256.
        #expect(words() == ["2 to 4", "2 to 3"])
        let figures = AutoscaleFigures(load: 80, serving: 2, target: .requests(20), window: .seconds(20))
        state.apply(.scaling(AutoscaleMove(api, from: 2, to: 4, figures: figures), at: observed.now))
        observed.busy = [api]
        #expect(words() == ["2 to 3"])
    }

    @Test("what a process that died had begun is ended, or found to have ended")
    func interrupted() {
        var stage = Stage(2, requests: 80)
        let figures = AutoscaleFigures(load: 80, serving: 2, target: .requests(20), window: .seconds(20))
        let move = AutoscaleMove(Stage.server, from: 2, to: 4, figures: figures)
        stage.state.apply(.scaling(move, at: stage.now))
        stage.server.hasRollout = true
        #expect(stage.look()?.word == "wait")
        stage.server.hasRollout = false
        (stage.server.replicas, stage.server.serving, stage.server.isUnfinished) = (4, 3, true)
        #expect(stage.look()?.word == "finish 4")
        (stage.server.serving, stage.server.isUnfinished) = (4, false)
        #expect(stage.look() == .record(.scaled(Stage.server, .done, at: stage.now)))
        (stage.server.replicas, stage.server.serving) = (2, 2)
        guard case .record(.scaled(_, .left, _))? = stage.look() else {
            Issue.record("nothing came of it")
            return
        }
    }

    @Test("an only look takes what two samples tell to last, but none goes right after members came or went")
    func onlyLook() {
        var stage = Stage(3, requests: 20, isOnlyLook: true)
        _ = stage.look()
        stage.pass()
        #expect(stage.look()?.word == "3 to 2")
        stage = Stage(3, requests: 20, isOnlyLook: true)
        stage.state.apply(.scaled(Stage.server, .done, at: stage.now - .seconds(20)))
        _ = stage.look()
        stage.pass()
        #expect(stage.look() == .wait(Stage.server, .lasting(wanted: 1, needed: .seconds(30))))
    }

    @Test("an event of the journal comes back as it was written")
    func journal() throws {
        let figures = AutoscaleFigures(load: 80.5, serving: 2, target: .queue(3), window: .seconds(21))
        let move = AutoscaleMove(Stage.server, from: 2, to: 4, figures: figures, highest: 3, bound: .doubling)
        let events: [AutopilotEvent] = [
            .scaling(move, at: .seconds(5)), .scaled(Stage.server, .done, at: .seconds(6)),
            .scaled(Stage.server, .failed(AutopilotFailure(.labNoMemory, "no")), at: .seconds(7)),
        ]
        let data = try JSONEncoder().encode(events)
        #expect(try JSONDecoder().decode([AutopilotEvent].self, from: data) == events)
        #expect(events.allSatisfy { $0.member == Stage.server.member(0) })
    }
}
