internal import CLibvirt

/// What the close callback may hold: a weak way back.
private final class ClosureBox: Sendable {
    private let report: @Sendable (LibvirtConnection.CloseReason) -> Void

    init(_ connection: LibvirtConnection) {
        report = { [weak connection] reason in
            // The callback runs on the event loop's thread, where libvirt must not be called: hop to the queue.
            Task { await connection?.lost(reason) }
        }
    }

    func closed(_ reason: Int32) {
        switch reason {
        case Int32(bitPattern: VIR_CONNECT_CLOSE_REASON_EOF.rawValue): report(.endOfFile)
        case Int32(bitPattern: VIR_CONNECT_CLOSE_REASON_KEEPALIVE.rawValue): report(.keepalive)
        case Int32(bitPattern: VIR_CONNECT_CLOSE_REASON_CLIENT.rawValue): report(.client)
        default: report(.failure)
        }
    }
}

private let connectionClosed: virConnectCloseFunc = { _, reason, opaque in
    guard let opaque else { return }
    Unmanaged<ClosureBox>.fromOpaque(opaque).takeUnretainedValue().closed(reason)
}

extension LibvirtConnection {
    func watchClosure(of pointer: virConnectPtr) throws(LibvirtError) {
        let box = Unmanaged.passRetained(ClosureBox(self))
        let code = virConnectRegisterCloseCallback(
            pointer,
            connectionClosed,
            box.toOpaque(),
            { opaque in
                guard let opaque else { return }
                Unmanaged<ClosureBox>.fromOpaque(opaque).release()
            }
        )
        guard code >= 0 else {
            let error = LibvirtError.last(operation: "watch", subject: uri.text)
            box.release()
            throw error
        }
        watchesClosure = true
    }

    func unwatchClosure(of pointer: virConnectPtr) {
        guard watchesClosure else { return }
        watchesClosure = false
        virConnectUnregisterCloseCallback(pointer, connectionClosed)
    }

    /// Notes the loss and ends the event streams; the handle stays until ``close()``.
    func lost(_ reason: CloseReason) {
        guard let pointer else { return }
        closeReason = reason
        endEvents(on: pointer)
    }
}
