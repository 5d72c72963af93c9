import LibvirtKit

extension AsyncStream<DomainEvent> {
    /// Waits for an event of a domain, for the end of the stream, or for a point in time, whichever is first.
    ///
    /// Events are hints, so it does not matter which it was: the caller reads the state again.
    func first(
        of domain: String,
        until end: ContinuousClock.Instant,
        where isWanted: @escaping @Sendable (DomainEvent.Kind) -> Bool
    ) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await event in self where event.domain == domain && isWanted(event.kind) { return }
            }
            group.addTask { try? await Task.sleep(until: end, clock: .continuous) }
            await group.next()
            group.cancelAll()
        }
    }
}
