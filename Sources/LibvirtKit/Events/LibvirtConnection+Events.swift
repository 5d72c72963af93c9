internal import CLibvirt

extension LibvirtConnection {
    /// What happens to the domains of this host, from the return of this call on.
    ///
    /// Subscribe, then act, then re-read the state, then await. The stream keeps the connection alive; dropping it or
    /// cancelling its reader deregisters. It ends when the connection is closed or lost: see ``closeReason``. A reader
    /// that falls behind loses the *oldest* events, which is harmless where events are hints.
    ///
    /// - Parameter limit: how many unread events are kept.
    /// - Throws: ``LibvirtError``.
    public func events(bufferingNewest limit: Int = 1024) throws(LibvirtError) -> AsyncStream<DomainEvent> {
        let connection = try connected("subscribe to events of")
        let (stream, continuation) = AsyncStream.makeStream(
            of: DomainEvent.self,
            bufferingPolicy: .bufferingNewest(limit)
        )
        if registration == nil {
            registration = try EventRegistration(on: connection, subject: uri.text, hub: hub)
        }
        let number = nextReader
        nextReader += 1
        hub.add(number, continuation)
        continuation.onTermination = { _ in
            // Runs on any thread, so it hops to the queue. Strongly held: a weak reference would skip the
            // deregistration of a connection dropped together with its stream, and leak both.
            Task { await self.endReader(number) }
        }
        return stream
    }

    private func endReader(_ number: Int) {
        hub.remove(number)
        guard let pointer, hub.isEmpty else { return }
        registration?.end(on: pointer)
        registration = nil
    }

    /// Deregisters and ends every stream.
    func endEvents(on connection: virConnectPtr) {
        registration?.end(on: connection)
        registration = nil
        hub.finish()
    }
}
