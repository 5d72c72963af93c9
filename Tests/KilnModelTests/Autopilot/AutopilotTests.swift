import Foundation
import KilnModel
import Testing

@Suite("An autopilot's decisions")
struct AutopilotTests {
    private typealias Member = AutopilotObservation.Member
    private static let failed = AutopilotEnd.failed(AutopilotFailure(.readyTimeout, "it was not ready"))

    /// What is decided about a member that has been so for 40 s; nothing means that nothing is.
    struct Case: Sendable {
        let name: String
        let expected: AutopilotDecision?
        let change: @Sendable (inout AutopilotObservation.Member) -> Void

        init(
            _ name: String,
            _ expected: AutopilotDecision?,
            _ change: @escaping @Sendable (inout AutopilotObservation.Member) -> Void
        ) {
            self.name = name
            self.expected = expected
            self.change = change
        }
    }

    private static let web = AutopilotStage.id(0)

    private static func heal(_ act: AutopilotAct, _ cause: AutopilotCause) -> AutopilotDecision {
        .act(
            AutopilotHeal(
                act,
                web,
                cause: cause,
                generation: Generation(1),
                lasted: .seconds(40),
                attempt: 1,
                used: 1,
                spec: HealSpec()
            )
        )
    }

    private static func left(_ why: AutopilotWait.Left) -> AutopilotDecision { .wait(web, .left(why)) }

    static let cases: [Case] = [
        Case("ready", nil) { _ in },
        Case("gone", heal(.start, .gone)) { $0.standing = .gone },
        Case("silent", heal(.restart, .silent)) { $0.standing = .silent },
        Case("interrupted", heal(.recover, .interrupted)) { $0.isOpen = true },
        Case("interrupted and gone", heal(.recover, .interrupted)) { ($0.isOpen, $0.standing) = (true, .gone) },
        Case("stopped by a person", left(.stopped)) { ($0.isWantedOn, $0.standing) = (false, .gone) },
        Case("told to stop, and running", nil) { $0.isWantedOn = false },
        Case("halted", left(.halted)) { ($0.isHalted, $0.standing) = (true, .gone) },
        Case("being worked on", left(.atWork)) { ($0.isLocked, $0.isOpen, $0.standing) = (true, true, .gone) },
        Case("in a rollout", left(.rollout)) { ($0.hasRollout, $0.standing) = (true, .silent) },
        Case("unknown", left(.unknown("no connection"))) { $0.standing = .unknown("no connection") },
        Case("still booting", .wait(web, .lasting(.silent, needed: .seconds(120)))) {
            ($0.standing, $0.isBooting) = (.silent, true)
        },
        Case("patient", .wait(web, .lasting(.silent, needed: .seconds(60)))) {
            ($0.standing, $0.heal.after) = (.silent, .seconds(60))
        },
    ]

    @Test("of each kind of member", arguments: cases)
    func table(_ one: Case) {
        var stage = AutopilotStage()
        one.change(&stage[0])
        let decisions = stage.look(for: 40)
        #expect(decisions == [one.expected].compactMap(\.self), "\(one.name)")
    }

    @Test(
        "a machine that an autopilot started which is gone now has the time to boot; its replacement begins only after that"
    )
    func diedWhileStarting() {
        var stage = AutopilotStage()
        stage[0].standing = .gone
        guard case .act(let heal)? = stage.look().first else {
            Issue.record("it is not started")
            return
        }
        stage.write(.began(heal, at: stage.now))
        (stage[0].standing, stage[0].isBooting) = (.silent, true)
        #expect(stage.look(for: 118) == [.wait(Self.web, .lasting(.silent, needed: .seconds(120)))])
        #expect(stage.look(for: 2).words == ["replace web"])
    }

    @Test("a replacement for its age that ended with its autopilot is tried again; one that turned back is not")
    func renewsAgain() {
        var stage = AutopilotStage()
        stage[0].isDue = true
        let decisions = stage.look()
        #expect(decisions.words == ["renew web"])
        guard case .act(let heal)? = decisions.first else { return }
        stage.write(.began(heal, at: stage.now))
        #expect(stage.look().isEmpty)
        stage.state.takeOver()
        #expect(stage.look().words == ["renew web"])
        stage.write(.began(heal, at: stage.now))
        stage.write(.ended(Self.web, Self.failed, at: stage.now))
        stage.state.takeOver()
        #expect(stage.look().isEmpty)
    }

    @Test("one that is gone is started at the first look, one that is silent after its time")
    func patience() {
        var stage = AutopilotStage()
        stage[0].standing = .gone
        #expect(stage.look().words == ["start web"])
        stage = AutopilotStage()
        stage[0].standing = .silent
        #expect(stage.look(for: 28).words == ["wait web"])
        stage.now += .seconds(2)
        #expect(stage.look().words == ["restart web"])
    }

    @Test("the same generation once, then replacements with pauses that double, then it is given up, with the figures")
    func ladder() throws {
        var stage = AutopilotStage()
        stage[0].standing = .gone
        stage.act(stage.look(), Self.failed)
        for pause in [10, 20] {
            #expect(stage.look(for: pause - 2).words == ["wait web"])
            stage.now += .seconds(2)
            let next = stage.look()
            #expect(next.words == ["replace web"])
            stage.act(next, Self.failed)
        }
        let last = stage.look()
        guard case .record(.gaveUp(let what, _))? = last.first else {
            Issue.record("\(last)")
            return
        }
        #expect(what.acts == [.start, .replace, .replace] && what.failure?.code == .readyTimeout)
        #expect(what.lasted == .seconds(45))
        stage.record(last)
        #expect(stage.look(for: 1000) == [Self.left(.givenUp)])
        // Whoever brings it back by hand has it looked after again.
        stage[0].standing = .ready
        stage.record(stage.look())
        stage[0].standing = .gone
        stage.now += .seconds(2)
        #expect(stage.look().words == ["start web"])
    }

    @Test("a machine that stands still is let go on each time, and never replaced; one that is silent afterwards is")
    func paused() {
        var stage = AutopilotStage()
        (stage[0].standing, stage[0].isPaused) = (.silent, true)
        for wait in [30, 10, 20] {
            let next = stage.look(for: wait)
            #expect(next.words == ["restart web"])
            stage.act(next, Self.failed)
        }
        #expect(stage.look().words == ["give-up web"])
        stage = AutopilotStage()
        (stage[0].standing, stage[0].isPaused) = (.silent, true)
        stage.act(stage.look(for: 30), Self.failed)
        stage[0].isPaused = false
        #expect(stage.look(for: 10).words == ["replace web"])
    }

    @Test("the pauses double up to five minutes")
    func pauses() {
        let seconds = (0...8).map { AutopilotState.pause(after: $0).components.seconds }
        #expect(seconds == [0, 10, 20, 40, 80, 160, 300, 300, 300])
    }

    @Test("one that falls again soon goes on where it was; one that served for 'per' begins anew")
    func again() {
        var stage = AutopilotStage()
        stage[0].standing = .gone
        stage.act(stage.look(), .serves)
        stage[0].standing = .ready
        #expect(stage.look(for: 300) == [])
        stage[0].standing = .gone
        #expect(stage.look().words == ["replace web"])
        stage[0].standing = .ready
        #expect(stage.look(for: 600) == [])
        stage[0].standing = .gone
        #expect(stage.look().words == ["start web"])
    }

    @Test("one that served after each heal and fell again is given up for good, not only for 'per'")
    func crashLoop() {
        var stage = AutopilotStage(1, HealSpec(atMost: 2))
        for _ in 0..<2 {
            stage[0].standing = .gone
            stage.act(stage.look(), .serves)
            stage[0].standing = .ready
            #expect(stage.look(for: 60) == [])
        }
        stage[0].standing = .gone
        let last = stage.look()
        #expect(last.words == ["give-up web"])
        stage.record(last)
        #expect(stage.look(for: 2000) == [Self.left(.givenUp)])
    }

    @Test("what a person has to decide ends in giving up at once")
    func damaged() {
        var stage = AutopilotStage()
        stage[0].standing = .gone
        let damage = AutopilotFailure(.volumeDamaged, "the volume is damaged", hint: "repair it", needsPerson: true)
        stage.act(stage.look(), .failed(damage))
        #expect(stage.look().words == ["give-up web"])
    }

    @Test("what was not done counts as nothing")
    func left() {
        var stage = AutopilotStage()
        stage[0].standing = .gone
        for _ in 0..<10 { stage.act(stage.look(), .left("somebody else was faster"), took: 1) }
        #expect(stage.look().words == ["start web"])
    }

    @Test("all members of a server together are healed so often as it may be")
    func limited() {
        var stage = AutopilotStage(8, HealSpec(atMost: 3))
        for ordinal in 0..<3 {
            stage[ordinal].standing = .gone
            stage.act(stage.look(), .serves)
            stage[ordinal].standing = .ready
        }
        stage[3].standing = .gone
        #expect(stage.look() == [.wait(AutopilotStage.id(3), .limited(used: 3, spec: HealSpec(atMost: 3)))])
        #expect(stage.look(for: 590).words == ["start web.3"])
    }

    @Test("no more at once than the host has processors")
    func crowded() {
        var stage = AutopilotStage(4, HealSpec(atMost: 10))
        for ordinal in 0..<4 { stage[ordinal].standing = .gone }
        #expect(stage.look().words == ["start web", "start web.1", "wait web.2", "wait web.3"])
    }

    @Test(
        "nothing is done where 5 members and more than a fifth of all are down at once",
        arguments: [(4, 10, false), (5, 10, true), (3, 3, false), (6, 6, true), (3, 16, false)]
    )
    func meltdown(_ down: Int, _ all: Int, _ isMeltdown: Bool) {
        var stage = AutopilotStage(all, HealSpec(atMost: 10))
        for ordinal in 0..<down { stage[ordinal].standing = .gone }
        let decisions = stage.look()
        let isActing = decisions.contains { if case .act = $0 { true } else { false } }
        #expect(isActing != isMeltdown, "\(decisions.words)")
        guard isMeltdown else { return }
        #expect(decisions.first == .wait(AutopilotStage.id(0), .meltdown(fallen: down, of: all)))
        stage[0].standing = .ready
        #expect((stage.look().words == ["start web.1", "start web.2", "wait web.3", "wait web.4"]) == (down == 5))
    }

    @Test("those that were healed in the last ten minutes count, too")
    func staggeredMeltdown() {
        var stage = AutopilotStage(10, HealSpec(atMost: 10))
        for ordinal in 0..<4 {
            stage[ordinal].standing = .gone
            stage.act(stage.look(), .serves)
            stage[ordinal].standing = .ready
        }
        stage[4].standing = .gone
        #expect(stage.look() == [.wait(AutopilotStage.id(4), .meltdown(fallen: 5, of: 10))])
        #expect(stage.look(for: 600).words == ["start web.4"])
    }

    /// Members that the host's boot left off.
    private static func booted(_ count: Int, _ spec: HealSpec) -> AutopilotStage {
        var stage = AutopilotStage(count, spec)
        for ordinal in 0..<count { (stage[ordinal].standing, stage[ordinal].isBooting) = (.gone, true) }
        return stage
    }

    @Test("after the host's boot all are started, as many at once as may be; who falls then has fallen")
    func hostBoot() {
        var stage = Self.booted(6, HealSpec(atMost: 2))
        for first in [0, 2, 4] {
            let next = stage.look()
            let starts = [first, first + 1].map { "start \(AutopilotStage.id($0).title)" }
            #expect(next.words.starts(with: starts))
            #expect(next.words.dropFirst(2).allSatisfy { $0.hasPrefix("wait") })
            stage.act(next, .serves, took: 1)
            for ordinal in first...first + 1 { (stage[ordinal].standing, stage[ordinal].isBooting) = (.ready, false) }
        }
        #expect(stage.look(for: 10) == [])
        stage[0].standing = .gone
        guard case .act(let heal)? = stage.look().first else {
            Issue.record("it is not healed")
            return
        }
        #expect(heal.act == .replace && heal.attempt == 2 && heal.used == 1)
        for ordinal in 1..<5 { stage[ordinal].standing = .gone }
        #expect(stage.look().first == .wait(Self.web, .meltdown(fallen: 5, of: 6)))
    }

    @Test("those that could not be started after the host's boot have fallen")
    func hostBootInVain() {
        var stage = Self.booted(6, HealSpec(atMost: 2))
        for _ in 0..<3 { stage.act(stage.look(), Self.failed, took: 1) }
        #expect(stage.look(for: 60).first == .wait(Self.web, .meltdown(fallen: 6, of: 6)))
        stage = Self.booted(1, HealSpec(atMost: 2))
        stage.act(stage.look(), .left("another command was faster"))
        #expect(stage.look().words == ["start web"])
        stage.act(stage.look(), Self.failed)
        stage.act(stage.look(for: 10), Self.failed)
        #expect(stage.look().words == ["give-up web"])
    }

    @Test("after a gap, a look that took too long, or a clock that went back, whatever lasts begins anew")
    func jumps() {
        for jump in [11, 100_000, -500] {
            var stage = AutopilotStage()
            stage[0].standing = .silent
            #expect(stage.look(for: 20).words == ["wait web"])
            stage.now += .seconds(jump)
            #expect(stage.look(for: 28).words == ["wait web"], "\(jump)")
            stage.now += .seconds(2)
            #expect(stage.look().words == ["restart web"], "\(jump)")
        }
        var stage = AutopilotStage()
        stage[0].standing = .silent
        _ = stage.look(for: 20)
        stage.now += .seconds(40)
        _ = stage.look(took: .seconds(40))
        stage.now += .seconds(2)
        #expect(stage.look().words == ["wait web"])
    }

    @Test("time in which members were not asked counts as it is: looks that take a while are no gaps")
    func slowLooks() {
        var stage = AutopilotStage()
        stage[0].standing = .silent
        var decisions: [AutopilotDecision] = []
        for _ in 0..<3 {
            stage.now += .seconds(20)
            decisions = stage.look(took: .seconds(18))
        }
        #expect(decisions.words == ["wait web"])
        stage.now += .seconds(20)
        #expect(stage.look(took: .seconds(18)).words == ["restart web"])
    }

    @Test("a look may take as long as the checks of its members declare, and is no gap then")
    func slowChecks() {
        var stage = AutopilotStage()
        (stage.patience, stage[0].standing) = (.seconds(90), .silent)
        var decisions: [AutopilotDecision] = []
        for _ in 0..<3 {
            stage.now += .seconds(90)
            decisions = stage.look(took: .seconds(88))
        }
        #expect(decisions.words == ["restart web"])
    }

    @Test("those that are due are replaced one at a time, the highest ordinal first, and each generation once")
    func due() {
        var stage = AutopilotStage(2)
        for ordinal in 0..<2 { stage[ordinal].isDue = true }
        let first = stage.look()
        #expect(first.words == ["renew web.1"])
        stage.act(first, Self.failed)
        // It serves on, and is not tried again.
        let second = stage.look()
        #expect(second.words == ["renew web"])
        stage.act(second, .serves)
        (stage[0].generation, stage[0].isDue) = (Generation(2), false)
        #expect(stage.look() == [])
    }

    @Test("those that are due wait for their window, and until all else is well")
    func window() {
        var spec = HealSpec()
        spec.window = HealSpec.Window(from: 120, to: 300)
        var stage = AutopilotStage(2, spec)
        stage[0].isDue = true
        #expect(stage.look() == [])
        stage.minute = 120
        #expect(stage.look().words == ["renew web"])
        stage[1].standing = .silent
        #expect(stage.look().words == ["wait web.1"])
        stage[1].standing = .ready
        stage.busy = [AutopilotStage.id(1)]
        #expect(stage.look() == [])
    }

    @Test("at the only look what is seen is taken to last, but not of one that boots")
    func onlyLook() {
        var stage = AutopilotStage()
        stage.state = AutopilotState(beat: .seconds(2), atOnce: 2, isOnlyLook: true)
        stage[0].standing = .silent
        #expect(stage.look().words == ["restart web"])
        stage[0].isBooting = true
        #expect(stage.look().words == ["wait web"])
    }

    @Test("what it did survives JSON, and the next process goes on with it")
    func journal() throws {
        var stage = AutopilotStage()
        stage[0].standing = .gone
        stage.act(stage.look(), Self.failed)
        stage.now += .seconds(10)
        stage.act(stage.look(), .left("another command was faster"))
        stage.act(stage.look(), .serves)
        stage.record([
            .record(.gaveUp(AutopilotGivingUp(Self.web, acts: [.start], lasted: .zero, failure: nil), at: .zero))
        ])
        stage.record([.record(.serves(Self.web, at: .seconds(1)))])
        let read = try JSONDecoder().decode([AutopilotEvent].self, from: JSONEncoder().encode(stage.events))
        #expect(read == stage.events && read.count == 8)
    }
}

@Suite("What an autopilot may do")
struct HealSpecTests {
    @Test("what a record of an earlier version lacks has its default")
    func json() throws {
        #expect(try JSONDecoder().decode(HealSpec.self, from: Data("{}".utf8)) == HealSpec())
        let spec = HealSpec(
            after: .seconds(5),
            atMost: 2,
            per: .seconds(60),
            window: HealSpec.Window(from: 120, to: 90)
        )
        #expect(try JSONDecoder().decode(HealSpec.self, from: JSONEncoder().encode(spec)) == spec)
    }

    @Test(
        "a window holds from its beginning to its end, also over midnight",
        arguments: [
            (120, 300, 120, true), (120, 300, 299, true), (120, 300, 300, false), (120, 300, 119, false),
            (1380, 60, 1439, true), (1380, 60, 59, true), (1380, 60, 60, false), (1380, 60, 720, false),
        ]
    )
    func window(_ from: Int, _ to: Int, _ minute: Int, _ isIn: Bool) {
        #expect(HealSpec.Window(from: from, to: to).holds(minute) == isIn)
    }

    @Test("a time of day has two digits for the hour and two for the minute")
    func times() {
        #expect(HealSpec.Window.minute("02:30") == 150 && HealSpec.Window.minute("23:59") == 1439)
        for text in ["2:30", "24:00", "02:60", "0230", "02:30:00", "", ":", "-1:00", "٠٢:٠٠"] {
            #expect(HealSpec.Window.minute(text) == nil, "\(text)")
        }
        #expect(HealSpec.Window(from: 125, to: 60).text == "02:05 to 01:00")
    }

    @Test("a member's own declaration is without it, so that a change of it makes no machine differ")
    func own() throws {
        var spec = ServerSpec(image: try ImageReference("tiny:1"))
        spec.heal = HealSpec()
        #expect(try spec.ofMember(AutopilotStage.id(0)).heal == nil)
        spec.fleet = FleetSpec(replicas: 2)
        #expect(try spec.ofMember(AutopilotStage.id(1)).heal == nil)
        let read = try JSONDecoder().decode(ServerSpec.self, from: JSONEncoder().encode(spec))
        #expect(read == spec)
    }
}
