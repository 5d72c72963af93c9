internal import CLibvirt
import Foundation

/// What libvirt keeps for a callback: one end of a stream and nothing else.
///
/// The free callback that releases it may not call libvirt, and dropping this calls nothing.
final class EventBox: Sendable {
    private let continuation: AsyncStream<DomainEvent>.Continuation

    init(_ continuation: AsyncStream<DomainEvent>.Continuation) {
        self.continuation = continuation
    }

    /// Copies the domain's name and UUID, which are fields of the handle, and hands the event over.
    func yield(_ domain: virDomainPtr?, _ kind: DomainEvent.Kind) {
        guard let domain, let name = virDomainGetName(domain) else { return }
        continuation.yield(DomainEvent(domain: String(cString: name), uuid: UUID(of: domain), kind: kind))
    }

    static func from(_ opaque: UnsafeMutableRawPointer?) -> EventBox? {
        opaque.map { Unmanaged<EventBox>.fromOpaque($0).takeUnretainedValue() }
    }
}

/// The callbacks of one stream.
struct EventSubscription {
    let continuation: AsyncStream<DomainEvent>.Continuation
    let callbacks: [Int32]

    /// Registers every kind of event, or none.
    init(
        on connection: virConnectPtr,
        subject: String,
        continuation: AsyncStream<DomainEvent>.Continuation
    ) throws(LibvirtError) {
        let free: virFreeCallback = { opaque in
            guard let opaque else { return }
            Unmanaged<EventBox>.fromOpaque(opaque).release()
        }
        var callbacks: [Int32] = []
        for register in Self.kinds {
            let box = Unmanaged.passRetained(EventBox(continuation))
            let id = register(connection, box.toOpaque(), free)
            guard id >= 0 else {
                let error = LibvirtError.last(operation: "subscribe to events of", subject: subject)
                // libvirt frees the context of registered callbacks only.
                box.release()
                Self.deregister(callbacks, on: connection)
                throw error
            }
            callbacks.append(id)
        }
        self.continuation = continuation
        self.callbacks = callbacks
    }

    /// Deregisters and finishes the stream.
    ///
    /// A failure means a dead connection, whose callbacks are gone anyway.
    func end(on connection: virConnectPtr) {
        Self.deregister(callbacks, on: connection)
        continuation.finish()
    }

    private static func deregister(_ callbacks: [Int32], on connection: virConnectPtr) {
        for callback in callbacks {
            virConnectDomainEventDeregisterAny(connection, callback)
        }
    }

    private typealias Register = (virConnectPtr, UnsafeMutableRawPointer, virFreeCallback) -> Int32

    private static var kinds: [Register] {
        [lifecycle, reboot, ioError, deviceRemoved, deviceRemovalFailed, agentLifecycle]
    }

    private static let lifecycle: @Sendable (virConnectPtr, UnsafeMutableRawPointer, virFreeCallback) -> Int32 = {
        kit_register_lifecycle(
            $0,
            { _, domain, event, detail, opaque in
                EventBox.from(opaque)?.yield(domain, DomainEvent.Kind(event: event, detail: detail))
                return 0
            },
            $1,
            $2
        )
    }

    private static let reboot: @Sendable (virConnectPtr, UnsafeMutableRawPointer, virFreeCallback) -> Int32 = {
        virConnectDomainEventRegisterAny(
            $0,
            nil,
            Int32(bitPattern: VIR_DOMAIN_EVENT_ID_REBOOT.rawValue),
            { _, domain, opaque in EventBox.from(opaque)?.yield(domain, .reboot) },
            $1,
            $2
        )
    }

    private static let ioError: @Sendable (virConnectPtr, UnsafeMutableRawPointer, virFreeCallback) -> Int32 = {
        kit_register_io_error(
            $0,
            { _, domain, path, alias, _, reason, opaque in
                EventBox.from(opaque)?.yield(
                    domain,
                    .ioError(path: text(path), alias: text(alias), reason: text(reason))
                )
            },
            $1,
            $2
        )
    }

    private static let deviceRemoved: @Sendable (virConnectPtr, UnsafeMutableRawPointer, virFreeCallback) -> Int32 = {
        kit_register_device_removed(
            $0,
            { _, domain, alias, opaque in
                EventBox.from(opaque)?.yield(domain, .deviceRemoved(alias: text(alias)))
            },
            $1,
            $2
        )
    }

    private static let deviceRemovalFailed:
        @Sendable (virConnectPtr, UnsafeMutableRawPointer, virFreeCallback) -> Int32 = {
            kit_register_device_removal_failed(
                $0,
                { _, domain, alias, opaque in
                    EventBox.from(opaque)?.yield(domain, .deviceRemovalFailed(alias: text(alias)))
                },
                $1,
                $2
            )
        }

    private static let agentLifecycle: @Sendable (virConnectPtr, UnsafeMutableRawPointer, virFreeCallback) -> Int32 = {
        kit_register_agent_lifecycle(
            $0,
            { _, domain, state, _, opaque in
                let connected = VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED.rawValue
                let isConnected = UInt32(bitPattern: state) == connected
                EventBox.from(opaque)?.yield(domain, isConnected ? .agentConnected : .agentDisconnected)
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
