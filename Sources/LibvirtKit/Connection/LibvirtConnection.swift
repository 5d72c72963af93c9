internal import CLibvirt
import KilnSystem

/// One connection to a hypervisor.
///
/// Every call runs on the connection's own queue, one at a time, so a slow call delays the next but never the rest of
/// the process. Calls that wait for a *guest* (agent commands, shutdown requests) run beside it: see
/// ``agentCommand(_:of:timeout:)``. Values go in and value snapshots come out; no C handle leaves.
///
/// End it with ``close()``. A connection that is merely dropped is closed too, but nobody learns of a leak then.
public actor LibvirtConnection {
    /// The URI it was opened with.
    public nonisolated let uri: LibvirtURI

    private let executor: QueueExecutor
    var pointer: virConnectPtr?
    let hub = EventHub()
    var registration: EventRegistration?
    var nextReader = 0
    var lanes = GuestLanes()
    var watchesClosure = false

    /// Why the connection ended; nil while it is open.
    public internal(set) var closeReason: CloseReason?

    /// Why a connection ended.
    public enum CloseReason: Sendable, Hashable {
        /// ``LibvirtConnection/close()`` was called.
        case client
        /// The daemon ended or closed the connection.
        case endOfFile
        /// The daemon stopped answering keepalive messages.
        case keepalive
        /// Anything else.
        case failure
    }

    /// The queue that runs this actor.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private init(_ uri: LibvirtURI) {
        self.uri = uri
        executor = QueueExecutor(label: "libvirt \(uri)")
    }

    /// Opens a connection.
    ///
    /// Against a daemon keepalive messages are sent, so that a hung daemon fails calls after about 20 s instead of
    /// never. The first listing after this is not to be trusted: see ``settle(within:)``.
    ///
    /// libvirt itself waits for ever for a daemon that accepts and says nothing. Whatever becomes of a connection that was
    /// given up is closed.
    ///
    /// - Parameters:
    ///   - uri: one of the forms that ``LibvirtURI`` accepts.
    ///   - limit: how long it may take.
    /// - Throws: ``LibvirtError``: `invalidArgument` for a refused URI, `noConnect`, `authFailed`, `systemError` and
    ///   others from libvirt; `DeadlineExceeded`; `CancellationError`.
    public static func open(_ uri: String, within limit: Duration = .seconds(30)) async throws -> LibvirtConnection {
        let connection = LibvirtConnection(try LibvirtURI(validating: uri))
        try await withPatience(limit, operation: "connect to \(uri)") { try await connection.connect() }
        return connection
    }

    private func connect() throws(LibvirtError) {
        try LibvirtEventLoop.ensureRunning()
        let opened = try LibvirtError.require(virConnectOpen(uri.text), operation: "connect to", subject: uri.text)
        pointer = opened
        // A driver inside this process has no peer to lose; libvirt would keep the callback's context for ever.
        guard uri.placement == .daemon else { return }
        try LibvirtError.check(
            virConnectSetKeepAlive(opened, 5, 3),
            operation: "enable keepalive on",
            subject: uri.text
        )
        try watchClosure(of: opened)
    }

    /// Whether nothing can be asked over this connection any more.
    public var isLost: Bool { closeReason != nil || !isAlive() }

    /// Closes the connection and ends its event streams.
    ///
    /// Waits for guest calls in flight, each of which has a deadline of its own. Closing twice is not an error.
    ///
    /// - Throws: ``LibvirtError`` with code `resourceBusy` when libvirt still counts references after the close: some
    ///   handle leaked, which is a defect of this module.
    public func close() async throws(LibvirtError) {
        guard let closing = pointer else { return }
        pointer = nil
        closeReason = closeReason ?? .client
        endEvents(on: closing)
        unwatchClosure(of: closing)
        await withCheckedContinuation { lanes.whenDrained($0) }
        await LibvirtEventLoop.fence()
        let references = try LibvirtError.check(virConnectClose(closing), operation: "close", subject: uri.text)
        guard references == 0 else {
            throw LibvirtError(
                code: .resourceBusy,
                origin: .none,
                message: "\(references) references remain after the close",
                operation: "close",
                subject: uri.text
            )
        }
    }

    /// The open connection's handle.
    func connected(_ operation: String) throws(LibvirtError) -> virConnectPtr {
        guard let pointer else {
            throw LibvirtError(
                code: .invalidConnection,
                origin: .none,
                message: "the connection is closed",
                operation: operation,
                subject: uri.text
            )
        }
        return pointer
    }

    isolated deinit {
        guard let pointer else { return }
        unwatchClosure(of: pointer)
        virConnectClose(pointer)
    }
}
