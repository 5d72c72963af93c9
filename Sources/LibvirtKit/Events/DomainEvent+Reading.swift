internal import CLibvirt

extension DomainEvent.Kind {
    /// Reads libvirt's numbers of a lifecycle event.
    init(event: Int32, detail: Int32) {
        switch UInt32(bitPattern: event) {
        case VIR_DOMAIN_EVENT_DEFINED.rawValue: self = .defined
        case VIR_DOMAIN_EVENT_UNDEFINED.rawValue: self = .undefined
        case VIR_DOMAIN_EVENT_STARTED.rawValue: self = .started(DomainEvent.StartReason(detail: detail))
        case VIR_DOMAIN_EVENT_SUSPENDED.rawValue: self = .suspended(DomainEvent.SuspendReason(detail: detail))
        case VIR_DOMAIN_EVENT_RESUMED.rawValue: self = .resumed
        case VIR_DOMAIN_EVENT_STOPPED.rawValue: self = .stopped(DomainEvent.StopReason(detail: detail))
        case VIR_DOMAIN_EVENT_SHUTDOWN.rawValue: self = .shutdown
        case VIR_DOMAIN_EVENT_PMSUSPENDED.rawValue: self = .pmsuspended
        case VIR_DOMAIN_EVENT_CRASHED.rawValue: self = .crashed
        default: self = .other(event: event, detail: detail)
        }
    }
}

extension DomainEvent.StartReason {
    init(detail: Int32) {
        switch UInt32(bitPattern: detail) {
        case VIR_DOMAIN_EVENT_STARTED_BOOTED.rawValue: self = .booted
        case VIR_DOMAIN_EVENT_STARTED_RESTORED.rawValue, VIR_DOMAIN_EVENT_STARTED_FROM_SNAPSHOT.rawValue:
            self = .restored
        default: self = .other(detail)
        }
    }
}

extension DomainEvent.SuspendReason {
    init(detail: Int32) {
        switch UInt32(bitPattern: detail) {
        case VIR_DOMAIN_EVENT_SUSPENDED_PAUSED.rawValue: self = .requested
        case VIR_DOMAIN_EVENT_SUSPENDED_IOERROR.rawValue: self = .ioError
        case VIR_DOMAIN_EVENT_SUSPENDED_WATCHDOG.rawValue: self = .watchdog
        default: self = .other(detail)
        }
    }
}

extension DomainEvent.StopReason {
    init(detail: Int32) {
        switch UInt32(bitPattern: detail) {
        case VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN.rawValue: self = .shutdown
        case VIR_DOMAIN_EVENT_STOPPED_DESTROYED.rawValue: self = .destroyed
        case VIR_DOMAIN_EVENT_STOPPED_CRASHED.rawValue: self = .crashed
        case VIR_DOMAIN_EVENT_STOPPED_SAVED.rawValue: self = .saved
        case VIR_DOMAIN_EVENT_STOPPED_FAILED.rawValue: self = .failed
        default: self = .other(detail)
        }
    }
}
