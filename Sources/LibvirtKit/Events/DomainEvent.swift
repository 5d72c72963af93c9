import Foundation

/// Something that happened to a domain.
///
/// A hint: re-read the state before acting on it.
public struct DomainEvent: Sendable, Equatable {
    /// The domain's name.
    public let domain: String
    /// The domain's UUID.
    public let uuid: UUID
    /// What happened.
    public let kind: Kind

    /// Makes an event, for fakes in tests of other modules.
    public init(domain: String, uuid: UUID, kind: Kind) {
        self.domain = domain
        self.uuid = uuid
        self.kind = kind
    }

    /// What happened.
    public enum Kind: Sendable, Equatable {
        /// The definition was added or changed.
        case defined
        /// The definition was removed.
        case undefined
        /// A machine was made.
        case started(StartReason)
        /// The processors stand still.
        case suspended(SuspendReason)
        /// The processors go on.
        case resumed
        /// The machine is gone.
        case stopped(StopReason)
        /// The guest finished its shutdown; the machine may still exist.
        case shutdown
        /// The guest suspended itself.
        case pmsuspended
        /// The guest crashed.
        case crashed
        /// The guest rebooted in the same machine.
        case reboot
        /// A device is gone.
        case deviceRemoved(alias: String)
        /// The guest refused to give up a device.
        case deviceRemovalFailed(alias: String)
        /// The guest agent's channel opened.
        case agentConnected
        /// The guest agent's channel closed.
        case agentDisconnected
        /// A disk failed: the host's path, the device's alias and the reason ("enospc" or empty).
        case ioError(path: String, alias: String, reason: String)
        /// A lifecycle event unknown to this version, in libvirt's numbers.
        case other(event: Int32, detail: Int32)
    }

    /// Why a machine was made (virDomainEventStartedDetailType).
    public enum StartReason: Sendable, Hashable {
        /// A normal boot.
        case booted
        /// Restored from a file or a snapshot.
        case restored
        /// Any other, as libvirt's number.
        case other(Int32)
    }

    /// Why processors stand still (virDomainEventSuspendedDetailType).
    public enum SuspendReason: Sendable, Hashable {
        /// On request.
        case requested
        /// A disk failed.
        case ioError
        /// A watchdog fired.
        case watchdog
        /// Any other, as libvirt's number.
        case other(Int32)
    }

    /// Why a machine is gone (virDomainEventStoppedDetailType).
    public enum StopReason: Sendable, Hashable {
        /// The guest shut down.
        case shutdown
        /// Destroyed from the host.
        case destroyed
        /// The hypervisor process died or the guest crashed.
        case crashed
        /// Saved to a file.
        case saved
        /// The start failed, or libvirt lost the machine.
        case failed
        /// Any other, as libvirt's number.
        case other(Int32)
    }
}
