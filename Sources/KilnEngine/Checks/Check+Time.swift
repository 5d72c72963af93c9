import KilnModel

extension Check {
    /// What is found of a test in its time: of `eventually` what holds first, or what was found last; of `always` what does not
    /// hold, or what was found last.
    ///
    /// - Parameter ask: looks once.
    /// - Throws: `CancellationError`.
    public func assertions(_ ask: (Check) async -> [Assertion]) async throws -> [Assertion] {
        let begin = ContinuousClock.now
        while true {
            let found = await ask(self)
            try Task.checkCancellation()
            let holds = !found.contains { $0.outcome != .passed }
            let time = ContinuousClock.now - begin
            if let eventually, !holds, time < eventually.within {
                // No event tells that a condition has come to hold.
                try await Task.sleep(for: eventually.every)
            } else if let always, holds, time < always.through {
                // Nor that it has come to hold no more.
                try await Task.sleep(for: min(always.every, always.through - time))
            } else {
                return found
            }
        }
    }
}
