internal import CLibvirt

/// The libvirt callbacks of one connection, one per kind of event, all feeding its hub.
///
/// One set serves every stream: libvirt refuses to register the same function twice for an event of a connection.
struct EventRegistration: Sendable {
    private let callbacks: [Int32]

    /// Registers every kind of event, or none.
    init(on connection: virConnectPtr, subject: String, hub: EventHub) throws(LibvirtError) {
        let free: virFreeCallback = { opaque in
            guard let opaque else { return }
            Unmanaged<EventHub>.fromOpaque(opaque).release()
        }
        var callbacks: [Int32] = []
        for register in Self.kinds {
            let box = Unmanaged.passRetained(hub)
            do throws(LibvirtError) {
                callbacks.append(
                    try LibvirtError.check(
                        register(connection, box.toOpaque(), free),
                        operation: "subscribe to events of",
                        subject: subject
                    )
                )
            } catch {
                // libvirt frees the context of registered callbacks only.
                box.release()
                Self.deregister(callbacks, on: connection)
                throw error
            }
        }
        self.callbacks = callbacks
    }

    /// Deregisters; a failure means a dead connection, whose callbacks are gone anyway.
    func end(on connection: virConnectPtr) {
        Self.deregister(callbacks, on: connection)
    }

    private static func deregister(_ callbacks: [Int32], on connection: virConnectPtr) {
        for callback in callbacks {
            virConnectDomainEventDeregisterAny(connection, callback)
        }
    }

    private typealias Register = @Sendable (virConnectPtr, UnsafeMutableRawPointer, virFreeCallback) -> Int32

    private static var kinds: [Register] {
        [lifecycle, reboot, ioError, deviceRemoved, deviceRemovalFailed, agentLifecycle]
    }

    private static let lifecycle: Register = {
        kit_register_lifecycle(
            $0,
            { _, domain, event, detail, opaque in
                EventHub.from(opaque)?.yield(domain, DomainEvent.Kind(event: event, detail: detail))
                return 0
            },
            $1,
            $2
        )
    }

    private static let reboot: Register = {
        virConnectDomainEventRegisterAny(
            $0,
            nil,
            Int32(bitPattern: VIR_DOMAIN_EVENT_ID_REBOOT.rawValue),
            { _, domain, opaque in EventHub.from(opaque)?.yield(domain, .reboot) },
            $1,
            $2
        )
    }

    private static let ioError: Register = {
        kit_register_io_error(
            $0,
            { _, domain, path, alias, _, reason, opaque in
                EventHub.from(opaque)?.yield(
                    domain,
                    .ioError(path: text(path), alias: text(alias), reason: text(reason))
                )
            },
            $1,
            $2
        )
    }

    private static let deviceRemoved: Register = {
        kit_register_device_removed(
            $0,
            { _, domain, alias, opaque in
                EventHub.from(opaque)?.yield(domain, .deviceRemoved(alias: text(alias)))
            },
            $1,
            $2
        )
    }

    private static let deviceRemovalFailed: Register = {
        kit_register_device_removal_failed(
            $0,
            { _, domain, alias, opaque in
                EventHub.from(opaque)?.yield(domain, .deviceRemovalFailed(alias: text(alias)))
            },
            $1,
            $2
        )
    }

    private static let agentLifecycle: Register = {
        kit_register_agent_lifecycle(
            $0,
            { _, domain, state, _, opaque in
                let connected = VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED.rawValue
                let isConnected = UInt32(bitPattern: state) == connected
                EventHub.from(opaque)?.yield(domain, isConnected ? .agentConnected : .agentDisconnected)
            },
            $1,
            $2
        )
    }
}

/// Copies a C string that is valid only during the callback.
private func text(_ string: UnsafePointer<CChar>?) -> String {
    string.map { String(cString: $0) } ?? ""
}
