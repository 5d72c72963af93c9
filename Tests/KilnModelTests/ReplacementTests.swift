import KilnModel
import Testing

@Suite struct ReplacementTests {
    private let failed = KilnError("x.failed", "it failed", exit: .aborted)
    private let held = KilnError(.volumeHeld, "qemu holds it", exit: .blocked)
    private let unreachable = KilnError(.hypervisorUnreachable, "gone", exit: .unreachable)

    private func replacement(after steps: [Step], from isFirst: Bool = false) throws -> Replacement {
        var replacement = Replacement(isFirst ? try .launch() : try .replacement(2))
        for step in steps {
            replacement.apply(.entered(step))
            replacement.apply(.completed(step, milliseconds: 1))
        }
        return replacement
    }

    private let beforeHandover: [Step] = [.plan, .prepare, .drain, .stop, .proveOff, .snapshot]

    @Test("a replacement walks its steps in order and ends committed")
    func forward() throws {
        var replacement = try replacement(after: [])
        var walked: [Step] = []
        while let step = replacement.next {
            walked.append(step)
            replacement.apply(.entered(step))
            replacement.apply(.completed(step, milliseconds: 1))
        }
        #expect(walked == beforeHandover + [.handover, .start, .healthy, .verify, .commit])
        #expect(replacement.outcomeAtEnd == .committed)
    }

    @Test("a launch has no old machine to drain or stop; what its volumes hold is sealed")
    func launch() throws {
        #expect(
            try replacement(after: [], from: true).sequence
                == [.plan, .prepare, .snapshot, .handover, .start, .healthy, .verify, .commit]
        )
    }

    @Test("a launch that an earlier version began, and that has passed the handover, is not sealed any more")
    func earlierLaunch() throws {
        let launch = try replacement(after: [.plan, .prepare, .handover, .start], from: true)
        #expect(launch.next == .healthy)
    }

    @Test("a failure before the old machine is touched aborts and only removes the new one", arguments: [0, 1])
    func abortUntouched(_ done: Int) throws {
        var replacement = try replacement(after: Array(beforeHandover.prefix(done)))
        let step = try #require(replacement.next)
        replacement.apply(.entered(step))
        let event = try #require(replacement.eventAfterFailure(of: step, error: failed))
        #expect(event == .turnedBack(TurnBack(direction: .abort, step: step, code: "x.failed", reason: "it failed")))
        replacement.apply(event)
        #expect(replacement.sequence == [.removeNew])
        #expect(replacement.outcomeAtEnd == .aborted)
    }

    @Test("a failure after the old machine was touched starts it again", arguments: [2, 3, 4, 5])
    func abortTouched(_ done: Int) throws {
        var replacement = try replacement(after: Array(beforeHandover.prefix(done)))
        let step = try #require(replacement.next)
        replacement.apply(.entered(step))
        replacement.apply(try #require(replacement.eventAfterFailure(of: step, error: done == 4 ? held : failed)))
        #expect(replacement.direction == .abort)
        #expect(replacement.sequence == [.startOld, .oldHealthy, .removeNew])
    }

    @Test("a failure after the handover reverts", arguments: [6, 7, 8, 9])
    func revert(_ done: Int) throws {
        var replacement = try replacement(
            after: Array((beforeHandover + [.handover, .start, .healthy]).prefix(done))
        )
        let step = try #require(replacement.next)
        replacement.apply(.entered(step))
        replacement.apply(try #require(replacement.eventAfterFailure(of: step, error: failed)))
        #expect(replacement.direction == .revert)
        #expect(replacement.sequence == [.stopNew, .proveNewOff, .handBack, .startOld, .oldHealthy, .removeNew])
        #expect(replacement.outcomeAtEnd == .reverted)
    }

    @Test("a launch that fails after the handover has nothing to start again")
    func revertLaunch() throws {
        var replacement = try replacement(after: [.plan, .prepare, .handover], from: true)
        replacement.apply(.entered(.start))
        replacement.apply(try #require(replacement.eventAfterFailure(of: .start, error: failed)))
        #expect(replacement.sequence == [.stopNew, .proveNewOff, .handBack, .removeNew])
    }

    @Test(
        "a failure on the way back halts, whatever failed",
        arguments: [Step.stopNew, .handBack, .startOld, .removeNew]
    )
    func halts(_ step: Step) throws {
        var replacement = try replacement(after: beforeHandover + [.handover])
        replacement.apply(.turnedBack(TurnBack(direction: .revert, step: .start, code: "x", reason: "y")))
        let event = try #require(replacement.eventAfterFailure(of: step, error: failed))
        guard case .ended(.halted, let reason) = event else { throw failed }
        #expect(reason?.contains(step.rawValue) == true)
    }

    @Test("a volume that is held after the handover halts, with the new machine off, instead of making a second writer")
    func heldAfterHandover() throws {
        var replacement = try replacement(after: beforeHandover + [.handover])
        replacement.apply(.entered(.start))
        replacement.apply(try #require(replacement.eventAfterFailure(of: .start, error: held)))
        #expect(replacement.sequence == [.stopNew, .proveNewOff])
        #expect(replacement.outcomeAtEnd == .halted)
    }

    @Test("data that is said to be damaged halts, unless it is to be restored", arguments: DataOnRevert.allCases)
    func damagedData(_ data: DataOnRevert) throws {
        var replacement = try replacement(after: beforeHandover + [.handover, .start, .healthy])
        replacement.apply(.decided(data))
        let damage = KilnError(.verifyDataDamaged, "torn", exit: .halted)
        replacement.apply(try #require(replacement.eventAfterFailure(of: .verify, error: damage)))
        #expect(replacement.direction == (data == .keep ? .halt : .revert))
    }

    @Test("a revert that restores the data does so between the leases' return and the old machine's start")
    func restores() throws {
        var replacement = try replacement(after: beforeHandover + [.handover, .start])
        replacement.apply(.decided(.restore))
        replacement.apply(try #require(replacement.eventAfterFailure(of: .healthy, error: failed)))
        #expect(
            replacement.sequence
                == [.stopNew, .proveNewOff, .handBack, .restoreData, .startOld, .oldHealthy, .removeNew]
        )
    }

    @Test("a person's decision after a halt counts on the way back")
    func decides() throws {
        var replacement = try replacement(after: beforeHandover + [.handover])
        replacement.apply(.turnedBack(TurnBack(direction: .halt, step: .start, code: "x", reason: "y")))
        replacement.apply(.ended(.halted, reason: "y"))
        replacement.apply(.decided(.restore))
        replacement.apply(.resumed)
        #expect(replacement.direction == .revert)
        #expect(replacement.sequence.contains(.restoreData))
    }

    @Test("warm-first starts and warms the new machine before the old one is asked to stop")
    func warmFirst() throws {
        var replacement = Replacement(try .replacement(2, .warmFirst))
        #expect(
            replacement.sequence
                == [
                    .plan, .prepare, .start, .warm, .drain, .stop, .proveOff, .snapshot, .handover, .attach, .healthy,
                    .verify, .commit,
                ]
        )
        for step in [Step.plan, .prepare, .start] {
            replacement.apply(.entered(step))
            replacement.apply(.completed(step, milliseconds: 1))
        }
        replacement.apply(.entered(.warm))
        replacement.apply(try #require(replacement.eventAfterFailure(of: .warm, error: failed)))
        #expect(replacement.sequence == [.removeNew])
    }

    @Test("a first machine has no old one to be warm beside")
    func warmLaunch() throws {
        var intent = try Intent.launch()
        intent = Intent(
            number: intent.number,
            from: nil,
            to: intent.to,
            image: intent.image,
            digest: intent.digest,
            strategy: .warmFirst
        )
        #expect(Replacement(intent).sequence == (try replacement(after: [], from: true).sequence))
    }

    @Test("where the hypervisor can't be reached, the replacement stays open", arguments: Step.allCases)
    func unreachable(_ step: Step) throws {
        let replacement = try replacement(after: beforeHandover)
        #expect(replacement.eventAfterFailure(of: step, error: unreachable) == nil)
    }

    @Test("COMMIT never turns back, not by a failure and not by a recovery")
    func commit() throws {
        var replacement = try replacement(after: beforeHandover + [.handover, .start, .healthy, .verify])
        replacement.apply(.entered(.commit))
        for error in [failed, held, unreachable] {
            #expect(replacement.eventAfterFailure(of: .commit, error: error) == nil)
        }
        for isNewRunning in [true, false] {
            #expect(replacement.eventOnRecovery(isNewRunning: isNewRunning) == nil)
        }
        #expect(replacement.next == .commit)
    }

    @Test("an interruption before the handover aborts, whether the new machine runs or not", arguments: [true, false])
    func recoveryBefore(_ isNewRunning: Bool) throws {
        for done in 0...beforeHandover.count {
            let replacement = try replacement(after: Array(beforeHandover.prefix(done)))
            guard case .turnedBack(let turn)? = replacement.eventOnRecovery(isNewRunning: isNewRunning) else {
                throw failed
            }
            #expect(turn.direction == .abort)
            #expect(turn.code == .replaceInterrupted)
        }
    }

    @Test("an interruption after the handover goes forward once, then reverts if the new machine is off")
    func recoveryAfter() throws {
        let steps = beforeHandover + [.handover, .start, .healthy, .verify]
        for done in 7...steps.count {
            var replacement = try replacement(after: Array(steps.prefix(done)))
            for isNewRunning in [true, false] {
                #expect(replacement.eventOnRecovery(isNewRunning: isNewRunning) == .resumed)
            }
            replacement.apply(.resumed)
            #expect(replacement.next == .start)
            #expect(replacement.eventOnRecovery(isNewRunning: true) == .resumed)
            guard case .turnedBack(let turn)? = replacement.eventOnRecovery(isNewRunning: false) else { throw failed }
            #expect(turn.direction == .revert)
        }
    }

    @Test("HANDOVER that was entered but not completed counts as handed over and is done again")
    func halfHandover() throws {
        var replacement = try replacement(after: beforeHandover)
        replacement.apply(.entered(.handover))
        #expect(replacement.isHandedOver)
        #expect(replacement.eventOnRecovery(isNewRunning: false) == .resumed)
        replacement.apply(.resumed)
        #expect(replacement.next == .handover)
    }

    @Test("a way back that was interrupted is gone on with")
    func recoveryOnTheWayBack() throws {
        var replacement = try replacement(after: beforeHandover + [.handover])
        replacement.apply(.turnedBack(TurnBack(direction: .revert, step: .start, code: "x", reason: "y")))
        replacement.apply(.entered(.stopNew))
        replacement.apply(.completed(.stopNew, milliseconds: 1))
        for isNewRunning in [true, false] {
            #expect(replacement.eventOnRecovery(isNewRunning: isNewRunning) == nil)
        }
        #expect(replacement.next == .proveNewOff)
    }

    @Test("once the leases are back, a halted replacement does not ask again whether anything holds the volumes")
    func haltedAfterHandBack() throws {
        var replacement = try replacement(after: beforeHandover + [.handover])
        replacement.apply(.turnedBack(TurnBack(direction: .revert, step: .start, code: "x", reason: "y")))
        for step in [Step.stopNew, .proveNewOff, .handBack, .startOld] {
            replacement.apply(.entered(step))
            replacement.apply(.completed(step, milliseconds: 1))
        }
        replacement.apply(.entered(.oldHealthy))
        replacement.apply(.ended(.halted, reason: "z"))
        replacement.apply(.resumed)
        var steps: [Step] = []
        while let step = replacement.next {
            steps.append(step)
            replacement.apply(.completed(step, milliseconds: 1))
        }
        #expect(steps == [.stopNew, .startOld, .oldHealthy, .removeNew])
    }

    @Test("a halted replacement that is taken up goes the whole way back again", arguments: [true, false])
    func haltedResumed(_ isHandedOver: Bool) throws {
        var replacement = try replacement(after: beforeHandover + (isHandedOver ? [.handover] : []))
        let direction: Direction = isHandedOver ? .revert : .abort
        replacement.apply(.turnedBack(TurnBack(direction: direction, step: .start, code: "x", reason: "y")))
        let first = try #require(replacement.next)
        replacement.apply(.entered(first))
        replacement.apply(.completed(first, milliseconds: 1))
        replacement.apply(.ended(.halted, reason: "z"))
        #expect(replacement.eventOnRecovery(isNewRunning: true) == nil)
        replacement.apply(.resumed)
        #expect(replacement.outcome == nil)
        #expect(replacement.direction == direction)
        #expect(replacement.next == first)
    }
}
