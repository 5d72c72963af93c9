import KilnModel
import Testing

/// Every journal that a replacement can leave behind, cut off after any record, and what recovery makes of it.
@Suite struct ReplacementWalkTests {
    private static let errors = [
        KilnError("x.failed", "it failed", exit: .aborted), KilnError(.volumeHeld, "held", exit: .blocked),
        KilnError(.hypervisorUnreachable, "gone", exit: .unreachable),
    ]

    /// Goes on until it ends or stays open; `fails` says which steps fail, and how.
    private func drive(_ start: Replacement, failing fails: [Step: KilnError]) -> [JournalEvent] {
        var replacement = start
        var journal: [JournalEvent] = []
        func write(_ event: JournalEvent) {
            journal.append(event)
            replacement.apply(event)
        }
        while replacement.outcome == nil && journal.count < 100 {
            guard let step = replacement.next else {
                write(.ended(replacement.outcomeAtEnd, reason: nil))
                break
            }
            write(.entered(step))
            if let error = fails[step] {
                guard let event = replacement.eventAfterFailure(of: step, error: error) else { break }
                write(event)
            } else {
                write(.completed(step, milliseconds: 1))
            }
        }
        return journal
    }

    private func fold(_ intent: Intent, _ events: some Sequence<JournalEvent>) -> Replacement {
        events.reduce(into: Replacement(intent)) { $0.apply($1) }
    }

    /// Every way in which no step, one step forward, or one step forward and one on the way back fail.
    private var faults: [[Step: KilnError]] {
        var all: [[Step: KilnError]] = [[:]]
        for step in Step.allCases where !Step.wayBack.contains(step) {
            for error in Self.errors {
                all.append([step: error])
                for back in Step.wayBack { all.append([step: error, back: Self.errors[0]]) }
            }
        }
        return all
    }

    private func recover(_ replacement: Replacement, isNewRunning: Bool, failing: [Step: KilnError]) -> [JournalEvent] {
        let event = replacement.eventOnRecovery(isNewRunning: isNewRunning)
        var resumed = replacement
        if let event { resumed.apply(event) }
        return (event.map { [$0] } ?? []) + drive(resumed, failing: failing)
    }

    private func check(_ intent: Intent, _ journal: [JournalEvent]) {
        let replacement = fold(intent, journal)
        let ends = journal.filter { if case .ended = $0 { true } else { false } }
        #expect(ends.count == 1, "\(journal)")
        let isCommitting = journal.contains(.entered(.commit))
        switch replacement.outcome {
        case .committed: #expect(isCommitting && replacement.direction == .forward, "\(journal)")
        case .aborted: #expect(!replacement.isHandedOver, "\(journal)")
        case .reverted: #expect(replacement.isHandedOver && !isCommitting, "\(journal)")
        case .halted: #expect(replacement.direction == .halt, "\(journal)")
        case nil: Issue.record("not ended: \(journal)")
        }
        #expect(isCommitting == (replacement.outcome == .committed), "\(journal)")
    }

    @Test("whatever record was the last before a crash, recovery ends the replacement in exactly one way")
    func everyPrefix() throws {
        var prefixes: Set<[JournalEvent]> = []
        for intent in [try Intent.launch(), try .replacement(2), try .replacement(2, .warmFirst)] {
            for fault in faults {
                let journal = drive(Replacement(intent), failing: fault)
                for length in 0...journal.count
                where prefixes.insert([.began(intent)] + journal.prefix(length)).inserted {
                    let prefix = Array(journal.prefix(length))
                    guard fold(intent, prefix).outcome == nil else { continue }
                    for isNewRunning in [true, false] {
                        check(intent, prefix + recover(fold(intent, prefix), isNewRunning: isNewRunning, failing: [:]))
                    }
                }
            }
        }
        #expect(prefixes.count >= 300)
    }

    @Test("a second crash, after any record of the recovery, is recovered from as well", arguments: Strategy.allCases)
    func everySecondPrefix(_ strategy: Strategy) throws {
        let intent = try Intent.replacement(2, strategy)
        let journal = drive(Replacement(intent), failing: [:])
        for length in 0..<journal.count {
            let first = Array(journal.prefix(length))
            for wasRunning in [true, false] {
                let second = recover(fold(intent, first), isNewRunning: wasRunning, failing: [:])
                for cut in 0..<second.count {
                    let prefix = first + second.prefix(cut)
                    for isRunning in [true, false] {
                        check(intent, prefix + recover(fold(intent, prefix), isNewRunning: isRunning, failing: [:]))
                    }
                }
            }
        }
    }

    @Test(
        "a replacement halts only where the way back failed or a volume was held, and can then be taken up",
        arguments: Strategy.allCases
    )
    func halts(_ strategy: Strategy) throws {
        let intent = try Intent.replacement(2, strategy)
        for fault in faults {
            let journal = drive(Replacement(intent), failing: fault)
            let replacement = fold(intent, journal)
            guard replacement.outcome == .halted else { continue }
            let isBackFailing = !Step.wayBack.isDisjoint(with: fault.keys)
            let isHeld = fault.values.contains { $0.code == .volumeHeld } && replacement.isHandedOver
            #expect(isBackFailing || isHeld, "\(fault)")
            var resumed = replacement
            resumed.apply(.resumed)
            let end = fold(intent, journal + [.resumed] + drive(resumed, failing: [:]))
            #expect(end.outcome == (replacement.isHandedOver ? .reverted : .aborted), "\(fault)")
        }
    }
}
