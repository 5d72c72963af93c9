internal import CLibvirt
import Foundation

extension DomainSnapshot {
    /// Reads a domain's values; the state and the two flags are separate calls, so they may straddle a change.
    init(reading domain: borrowing DomainHandle) throws(LibvirtError) {
        let (name, pointer) = (domain.name, domain.pointer)
        var state: Int32 = 0
        var reason: Int32 = 0
        try LibvirtError.check(
            virDomainGetState(pointer, &state, &reason, 0),
            operation: "read state of domain",
            subject: name
        )
        let persistent = try LibvirtError.check(
            virDomainIsPersistent(pointer),
            operation: "read persistence of domain",
            subject: name
        )
        let active = try LibvirtError.check(
            virDomainIsActive(pointer),
            operation: "read activity of domain",
            subject: name
        )
        // A handle keeps the id it was looked up with; libvirt says -1 (all bits set) when off.
        let id = virDomainGetID(domain.pointer)
        self.init(
            name: name,
            uuid: UUID(of: domain.pointer),
            id: active == 1 && id != UInt32.max ? Int(id) : nil,
            state: DomainState(number: state),
            stateReason: DomainStateReason(state: DomainState(number: state), number: reason),
            isPersistent: persistent == 1,
            isActive: active == 1
        )
    }
}

extension UUID {
    /// The UUID of a domain, a field of the handle.
    init(of domain: virDomainPtr) {
        var uuid = UUID().uuid
        withUnsafeMutableBytes(of: &uuid) { bytes in
            _ = virDomainGetUUID(domain, bytes.bindMemory(to: UInt8.self).baseAddress)
        }
        self.init(uuid: uuid)
    }
}

extension DomainState {
    init(number: Int32) {
        switch UInt32(bitPattern: number) {
        case VIR_DOMAIN_RUNNING.rawValue: self = .running
        case VIR_DOMAIN_BLOCKED.rawValue: self = .blocked
        case VIR_DOMAIN_PAUSED.rawValue: self = .paused
        case VIR_DOMAIN_SHUTDOWN.rawValue: self = .shuttingDown
        case VIR_DOMAIN_SHUTOFF.rawValue: self = .shutoff
        case VIR_DOMAIN_CRASHED.rawValue: self = .crashed
        case VIR_DOMAIN_PMSUSPENDED.rawValue: self = .pmsuspended
        default: self = .other(number)
        }
    }
}

extension DomainStateReason {
    init(state: DomainState, number: Int32) {
        switch (state, UInt32(bitPattern: number)) {
        case (.running, VIR_DOMAIN_RUNNING_BOOTED.rawValue): self = .booted
        case (.running, VIR_DOMAIN_RUNNING_UNPAUSED.rawValue): self = .unpaused
        case (.paused, VIR_DOMAIN_PAUSED_USER.rawValue): self = .pausedByRequest
        case (.paused, VIR_DOMAIN_PAUSED_IOERROR.rawValue): self = .pausedOnIOError
        case (.paused, VIR_DOMAIN_PAUSED_CRASHED.rawValue): self = .pausedOnPanic
        case (.paused, VIR_DOMAIN_PAUSED_STARTING_UP.rawValue): self = .pausedWhileStarting
        case (.shutoff, VIR_DOMAIN_SHUTOFF_SHUTDOWN.rawValue): self = .stoppedByShutdown
        case (.shutoff, VIR_DOMAIN_SHUTOFF_DESTROYED.rawValue): self = .stoppedByDestroy
        case (.shutoff, VIR_DOMAIN_SHUTOFF_CRASHED.rawValue): self = .stoppedByCrash
        case (.shutoff, VIR_DOMAIN_SHUTOFF_FAILED.rawValue): self = .stoppedByFailure
        default: self = .other(number)
        }
    }
}
