import Foundation

/// What libvirt said about a domain at one moment.
public struct DomainSnapshot: Sendable, Equatable {
    /// The name, unique on a host.
    public let name: String
    /// The UUID, unique on a host.
    public let uuid: UUID
    /// The number of the running machine; nil when off.
    public let id: Int?
    /// Whether it runs, and how.
    public let state: DomainState
    /// Why it is in that state.
    public let stateReason: DomainStateReason
    /// Whether its definition outlives the machine.
    public let isPersistent: Bool
    /// Whether there is a machine (running, paused or otherwise).
    public let isActive: Bool

    /// Makes a snapshot, for fakes in tests of other modules.
    public init(
        name: String,
        uuid: UUID,
        id: Int?,
        state: DomainState,
        stateReason: DomainStateReason = .other(0),
        isPersistent: Bool,
        isActive: Bool
    ) {
        self.name = name
        self.uuid = uuid
        self.id = id
        self.state = state
        self.stateReason = stateReason
        self.isPersistent = isPersistent
        self.isActive = isActive
    }
}

/// A virDomainState.
public enum DomainState: Sendable, Hashable {
    /// The machine runs.
    case running
    /// The machine waits for a resource (not with QEMU).
    case blocked
    /// The machine exists and its processors stand still.
    case paused
    /// The guest is shutting down.
    case shuttingDown
    /// There is no machine.
    case shutoff
    /// The machine crashed.
    case crashed
    /// The guest suspended itself.
    case pmsuspended
    /// A state unknown to this version.
    case other(Int32)
}

/// Why a domain is in its state; only reasons that callers act on are named.
public enum DomainStateReason: Sendable, Hashable {
    /// Running: after a normal boot.
    case booted
    /// Running: after a resume.
    case unpaused
    /// Paused: on request.
    case pausedByRequest
    /// Paused: a disk reported an I/O error, such as a full host disk.
    case pausedOnIOError
    /// Paused: the guest panicked.
    case pausedOnPanic
    /// Paused: the start is not finished.
    case pausedWhileStarting
    /// Off: the guest shut down.
    case stoppedByShutdown
    /// Off: destroyed from the host.
    case stoppedByDestroy
    /// Off: the hypervisor process died.
    case stoppedByCrash
    /// Off: the start failed.
    case stoppedByFailure
    /// Any other reason, as libvirt's number (its meaning depends on the state).
    case other(Int32)
}
