import Dispatch

/// One serial queue per domain, for calls that wait for a guest.
///
/// A guest that does not answer holds its own lane only. The lanes are few: one per domain ever asked.
struct GuestLanes {
    private var queues: [String: DispatchQueue] = [:]
    private var inFlight = 0
    private var waiters: [CheckedContinuation<Void, Never>] = []

    mutating func enter(_ name: String) -> DispatchQueue {
        inFlight += 1
        if let queue = queues[name] { return queue }
        let queue = DispatchQueue(label: "libvirt guest \(name)")
        queues[name] = queue
        return queue
    }

    mutating func leave() {
        inFlight -= 1
        guard inFlight == 0 else { return }
        for waiter in waiters { waiter.resume() }
        waiters = []
    }

    /// Resumes the waiter once no call is in flight.
    mutating func whenDrained(_ waiter: CheckedContinuation<Void, Never>) {
        if inFlight == 0 { waiter.resume() } else { waiters.append(waiter) }
    }
}
