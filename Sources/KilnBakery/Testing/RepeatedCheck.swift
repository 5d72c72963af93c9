import KilnEngine
import KilnModel

/// A test that is asked until it holds or its time is over; then once more, for what holds only sometimes is no proof.
struct RepeatedCheck {
    let check: Check
    let ask: @Sendable (Check) async -> [Assertion]

    /// The pause before the attempt that shows whether a failure lasts.
    private static let pause = Duration.seconds(1)

    /// What was found at last; what held only in the extra attempt is flaky.
    ///
    /// - Throws: `CancellationError`.
    func assertions() async throws -> [Assertion] {
        let first = try await check.assertions(ask)
        // What has to hold always has been seen not to.
        guard first.contains(where: { $0.outcome != .passed }), check.always == nil else { return first }
        // No event is awaited: asked again at once, it would fail by the same moment.
        try await Task.sleep(for: Self.pause)
        let second = await ask(check)
        guard !second.contains(where: { $0.outcome != .passed }) else { return first }
        let failed = first.filter { $0.outcome != .passed }
        let others = failed.map { "\($0.subject): \($0.found)" }.joined(separator: "; ")
        // Attributes of what was not there are known only now.
        return second.map { assertion in
            let known = first.first { $0.subject == assertion.subject && $0.expected == assertion.expected }
            if known?.outcome == .passed { return assertion }
            return assertion.flaky(after: known?.found ?? others)
        }
    }
}
