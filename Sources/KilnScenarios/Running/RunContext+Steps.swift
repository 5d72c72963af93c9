import KilnEngine
import KilnModel
import KilnSystem

extension RunContext {
    /// Performs steps one after the other; where one fails the rest is not tried.
    func take(_ steps: [PlacedStep], below parent: StepID) async throws {
        for (index, step) in steps.enumerated() {
            do {
                try await take(step, as: parent.child(index + 1))
            } catch {
                skip(steps, below: parent, from: index + 1)
                throw error
            }
        }
    }

    /// Performs one pass of steps that are done several times.
    func group(_ name: String, as id: StepID, _ steps: [PlacedStep]) async throws {
        guard let place = steps.first?.place else { return }
        let begin = events.elapsed
        let kind = String(name.prefix { $0 != " " })
        events.emit(.stepBegan(id: id, kind: kind, name: name, place: place))
        let failure = await self.failure { try await self.take(steps, below: id) }
        let result = StepResult(
            id: id,
            kind: kind,
            place: place,
            name: name,
            outcome: failure == nil ? .passed : .failed,
            begin: begin,
            end: events.elapsed,
            detail: failure.map { "\($0)" },
            children: takeResults(of: id)
        )
        record(result)
        if let failure { throw failure }
    }

    /// Performs a step, with what is said about how it is done; its result is noted whatever becomes of it.
    func take(_ step: PlacedStep, as id: StepID) async throws {
        if let condition = step.attributes.condition, !condition.holds(known) {
            return skip(step, as: id, "it is done where \(condition.description)")
        }
        let begin = events.elapsed
        events.emit(.stepBegan(id: id, kind: step.kind, name: step.description, place: step.place))
        var message: String?
        let planned = plan(step, id)
        var failure = await self.failure {
            try await self.gate?(step, id)
            try Task.checkCancellation()
            let found = try await self.tried(step, id)
            var saved: [Name: String] = [:]
            for (name, output) in step.attributes.save { saved[name] = try await found.output(output) }
            try self.save(saved)
            message = found.message
        }
        if let expected = step.attributes.failure { (failure, message) = expected.judged(failure, of: step) }
        if let failure { await pauseAt(step, id, failure) }
        // Judged apart: that a step had to fail excuses no fault that hit nothing.
        let missed = await end(planned, of: id)
        let late = await end(step, id)
        failure = RunFailure.worst([failure, missed, late])
        if let failure { await pauseAt(step, id, failure) }
        record(result(step, id, begin, failure, message))
        if let failure { throw failure }
    }

    private func failure(_ body: () async throws -> Void) async -> (any Error)? {
        do {
            try await body()
            return nil
        } catch { return error }
    }

    /// All attempts at a step, within its time.
    private func tried(_ step: PlacedStep, _ id: StepID) async throws -> StepYield {
        let action = step.attributes.timeout.map(step.action.allowing) ?? step.action
        let attempts = { @Sendable () async throws -> StepYield in
            guard let retry = step.attributes.retry else { return try await action.perform(self, as: id) }
            return try await retry.attempts { attempt in
                // Of the steps that it holds, the last attempt's results count.
                _ = await self.takeResults(of: id)
                var found = try await action.perform(self, as: id)
                if attempt > 1 {
                    found.message = [found.message, "passed at attempt \(attempt)"].compactMap(\.self).joined(
                        separator: "; "
                    )
                }
                return found
            }
        }
        guard let limit = step.attributes.timeout else { return try await attempts() }
        return try await within(step: limit, step.description, attempts)
    }

    /// What is done after a step; returns the worst failure of it.
    private func end(_ step: PlacedStep, _ id: StepID) async -> (any Error)? {
        // After all passes that there can be of what it holds.
        let count = step.heldCount + step.attributes.during.count
        return await finish(step.attributes.finally, below: id, from: count)
    }

    /// Performs steps of which each is tried, also where the run was interrupted; returns the worst failure.
    ///
    /// - Parameter count: how many steps stand before them below the same step.
    func finish(_ steps: [PlacedStep], below parent: StepID, from count: Int = 0) async -> (any Error)? {
        guard !steps.isEmpty else { return nil }
        // An unstructured task does not inherit the cancellation; so there is a limit of its own.
        return await Task {
            var first: (any Error)?
            for (index, step) in steps.enumerated() {
                let failure = await self.failure {
                    try await self.within(self.endLimit, step.description) {
                        try await self.take(step, as: parent.child(count + index + 1))
                    }
                }
                first = RunFailure.worst([first, failure])
            }
            return first
        }.value
    }

    /// How long one step of an end may take.
    static let endLimit = Duration.seconds(600)

    /// The same where deadlines are longer.
    nonisolated var endLimit: Duration { max(RunContext.endLimit, scale.of(RunContext.endLimit)) }

    /// Does something that the file gives a deadline, which a run may stretch.
    ///
    /// - Throws: `Unmet` with exit `.deadline` where it did not end in time.
    nonisolated func within<Value: Sendable>(
        step limit: Duration,
        _ what: String,
        _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let found = scale.of(limit)
        let words = found == limit ? limit.words : "\(found.words) (\(limit.words) × \(scale))"
        return try await within(found, what, words, body)
    }

    /// Does something that has to end in time.
    ///
    /// - Throws: `Unmet` with exit `.deadline` where it did not.
    nonisolated func within<Value: Sendable>(
        _ limit: Duration,
        _ what: String,
        _ words: String? = nil,
        _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let words = words ?? limit.words
        let operation = "\(what) within \(words)"
        do {
            return try await withDeadline(limit, operation: operation, body)
        } catch let error as DeadlineExceeded where error.operation == operation {
            throw Unmet("\(what): an end within \(words) expected, none found", exit: .deadline)
        }
    }

    /// Passes over steps that can't be reached any more.
    func skip(_ steps: [PlacedStep], below parent: StepID, from first: Int = 0) {
        for (index, step) in steps.enumerated().dropFirst(first) { skip(step, as: parent.child(index + 1)) }
    }

    private func skip(_ step: PlacedStep, as id: StepID, _ reason: String? = nil) {
        let now = events.elapsed
        record(
            StepResult(
                id: id,
                kind: step.kind,
                place: step.place,
                name: step.description,
                outcome: .skipped,
                begin: now,
                end: now,
                detail: reason
            )
        )
    }

    private func result(
        _ step: PlacedStep,
        _ id: StepID,
        _ begin: Duration,
        _ failure: (any Error)?,
        _ message: String?
    ) -> StepResult {
        StepResult(
            id: id,
            kind: step.kind,
            place: step.place,
            name: step.description,
            outcome: failure == nil ? .passed : .failed,
            begin: begin,
            end: events.elapsed,
            detail: failure.map { "\($0)" } ?? message,
            children: takeResults(of: id)
        )
    }
}

extension PlacedStep {
    /// How many results there can be below it, of one pass, before those of its faults and of its end.
    var heldCount: Int { children.isEmpty ? 0 : max(children.count, action.rounds) }
}

extension RetryPolicy {
    /// Tries until it is done; what no further attempt can change ends it at once.
    func attempts<Value: Sendable>(_ body: @Sendable (_ attempt: Int) async throws -> Value) async throws -> Value {
        for attempt in 1..<max(times, 1) {
            do {
                return try await body(attempt)
            } catch  where RunFailure.isOrdinary(error) {
                // The user's own beat.
                try await Task.sleep(for: every)
            }
        }
        return try await body(max(times, 1))
    }
}

/// How what goes wrong in a step is taken.
enum RunFailure {
    /// Which of several failures counts: lost data before all, then a fault that stays; else the first.
    ///
    /// No failure beside them may hide these two, for what is ordinary is tried again, or excused.
    static func worst(_ failures: [(any Error)?]) -> (any Error)? {
        let found = failures.compactMap { $0 }
        return found.first { $0 is DataLoss } ?? found.first { ($0 as? KilnError)?.code == .faultNotUndone }
            ?? found.first
    }

    /// Whether it is of the step's own making: no interruption, no host that can't be reached, no fault of Kiln's or that stays, no lost data.
    static func isOrdinary(_ error: any Error) -> Bool {
        switch error {
        case is Unmet: true
        case let known as KilnError where known.code == .faultNotUndone: false
        case let known as KilnError: ![.unreachable, .internalError, .interrupted].contains(known.exit)
        default: false
        }
    }
}

extension ExpectedFailure {
    /// What becomes of a step that has to fail.
    func judged(_ failure: (any Error)?, of step: PlacedStep) -> (failure: (any Error)?, message: String?) {
        guard let failure else { return (Unmet("a failure expected, but it passed"), nil) }
        guard RunFailure.isOrdinary(failure) || failure is DataLoss else { return (failure, nil) }
        let found = "\(failure)"
        if let contains, !found.contains(contains) {
            return (Unmet("a failure with \(Name.quoted(contains)) expected, found: \(found)"), nil)
        }
        return (nil, "failed as expected: \(found)")
    }
}
