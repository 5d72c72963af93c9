internal import CLibvirt
import Dispatch
import Glibc

extension LibvirtConnection {
    /// The language of a monitor command.
    public enum MonitorStyle: Sendable, Hashable {
        /// JSON (the QEMU machine protocol).
        case qmp
        /// The human monitor's text.
        case human
    }

    /// Sends a command to QEMU's monitor and returns its answer.
    ///
    /// A `qmp` answer is JSON that may hold QEMU's own `error`, which is not thrown; a `human` answer is free text.
    ///
    /// - Throws: ``LibvirtError``: `noDomain`, `operationInvalid` when off, `noSupport` when it is not QEMU.
    public func monitorCommand(
        _ command: String,
        of name: String,
        style: MonitorStyle = .qmp
    ) throws(LibvirtError) -> String {
        let operation = "send monitor command to domain"
        try LibvirtError.requireCString(command, operation: operation, subject: name)
        let domain = try lookUp(name, for: operation)
        let flags = style == .human ? VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP.rawValue : 0
        var answer: UnsafeMutablePointer<CChar>?
        try LibvirtError.check(
            virDomainQemuMonitorCommand(domain.pointer, command, &answer, flags),
            operation: operation,
            subject: name
        )
        guard let answer else { return "" }
        defer { free(answer) }
        return String(cString: answer)
    }

    /// Sends a `qmp` command to QEMU's monitor, and an open file with it; works over a connection to this host only.
    ///
    /// - Parameter descriptor: the file, of which QEMU gets a duplicate.
    /// - Throws: as ``monitorCommand(_:of:style:)``; `argumentUnsupported` where descriptors can't be passed.
    public func monitorCommand(
        _ command: String,
        of name: String,
        passing descriptor: Int32
    ) throws(LibvirtError) -> String {
        let operation = "send monitor command with a file to domain"
        try LibvirtError.requireCString(command, operation: operation, subject: name)
        let domain = try lookUp(name, for: operation)
        var files = [descriptor]
        var answer: UnsafeMutablePointer<CChar>?
        try LibvirtError.check(
            virDomainQemuMonitorCommandWithFiles(domain.pointer, command, 1, &files, nil, nil, &answer, 0),
            operation: operation,
            subject: name
        )
        guard let answer else { return "" }
        defer { free(answer) }
        return String(cString: answer)
    }

    /// Sends one JSON command to the guest agent and returns its JSON answer, the guest's own words.
    ///
    /// Runs on a lane of the domain, beside the connection's queue: one domain's agent calls follow one another, and a
    /// guest that does not answer delays no other call. (libvirt's connections may be used from many threads; a daemon
    /// serves 5 requests of one client at a time, so with more than 4 silent guests open another connection.)
    ///
    /// A call that runs cannot be cancelled; it ends after `timeout` plus up to 5 s, libvirt's own limit for finding
    /// the agent. Prefer ``GuestAgent``, which reads the answers.
    ///
    /// - Parameters:
    ///   - json: the command, such as `{"execute":"guest-ping"}`.
    ///   - name: the domain's name.
    ///   - timeout: how long the agent may take; rounded up to whole seconds, at least one.
    /// - Throws: ``LibvirtError``: `agentUnresponsive` when the agent is not connected or does not answer,
    ///   `argumentUnsupported` when the domain has no agent channel, `operationInvalid` when off, `noSupport` when it is not
    ///   QEMU, `internalError` with the agent's words when it refuses.
    public func agentCommand(
        _ json: String,
        of name: String,
        timeout: Duration
    ) async throws(LibvirtError) -> String {
        let seconds = Int32(clamping: timeout.components.seconds + (timeout.components.attoseconds > 0 ? 1 : 0))
        try LibvirtError.requireCString(json, operation: GuestAgent.operation, subject: name)
        return try await onLane(GuestAgent.operation, of: name) { domain, operation throws(LibvirtError) in
            let pointer = domain.pointer
            // Zero and negative numbers mean "do not wait" and "wait for ever".
            return try LibvirtError.take(
                virDomainQemuAgentCommand(pointer, json, max(1, seconds), 0),
                operation: operation,
                subject: name
            )
        }
    }

    /// Runs a call that waits for a guest on the domain's lane.
    func onLane<T: Sendable>(
        _ operation: String,
        of name: String,
        _ call: @escaping @Sendable (borrowing DomainHandle, String) throws(LibvirtError) -> T
    ) async throws(LibvirtError) -> T {
        let parcel = DomainParcel(pointer: try lookUp(name, for: operation).release())
        let queue = lanes.enter(name)
        let outcome = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<T, LibvirtError>, Never>) in
            queue.async {
                // The handle is freed when `open` returns, before the caller hears of it: a close may follow at once.
                continuation.resume(
                    returning: parcel.open { domain throws(LibvirtError) in try call(domain, operation) }
                )
            }
        }
        lanes.leave()
        return try outcome.get()
    }
}

/// A domain's reference on its way to a lane.
///
/// Unchecked: libvirt's handles are reference-counted atomically and may be used from any thread, and exactly one
/// `open` follows.
private struct DomainParcel: @unchecked Sendable {
    let pointer: virDomainPtr

    func open<T>(
        _ call: (borrowing DomainHandle) throws(LibvirtError) -> T
    ) -> Result<T, LibvirtError> {
        let domain = DomainHandle(owning: pointer)
        do throws(LibvirtError) {
            return .success(try call(domain))
        } catch {
            return .failure(error)
        }
    }
}
