import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem
import Synchronization

/// The ports of 127.0.0.1.
public struct LoopbackPorts: HostPorts {
    /// The ports to choose from: below the range from which the kernel takes ports for outgoing connections, which
    /// could otherwise take a recorded port while its machine is off.
    public let choice: ClosedRange<UInt16>

    /// From where on ports need no privilege; root's machines run as a user without any too.
    public let lowest: UInt16

    /// The ports of this host.
    public init() {
        let first = FileManager.default.contents(atPath: "/proc/sys/net/ipv4/ip_unprivileged_port_start")
        lowest = LoopbackPorts.lowest(first.map { String(decoding: $0, as: UTF8.self) } ?? "")
        let text = FileManager.default.contents(atPath: "/proc/sys/net/ipv4/ip_local_port_range")
        choice = LoopbackPorts.choice(ephemeral: text.map { String(decoding: $0, as: UTF8.self) } ?? "")
    }

    /// The kernel's number, or its default where it tells none.
    static func lowest(_ text: String) -> UInt16 { UInt16(text.filter { !$0.isWhitespace }) ?? 1_024 }

    /// 20000 to 32767, cut to what lies outside the ephemeral range; the larger side of it where it lies within.
    static func choice(ephemeral text: String) -> ClosedRange<UInt16> {
        let preferred: ClosedRange<UInt16> = 20_000...32_767
        let bounds = text.split(whereSeparator: \.isWhitespace).compactMap { UInt16($0) }
        guard bounds.count == 2, bounds[0] <= bounds[1], preferred.overlaps(bounds[0]...bounds[1]) else {
            return preferred
        }
        let below =
            bounds[0] > 1_024 + 1_000 ? max(1_024, min(preferred.lowerBound, bounds[0] - 1_000))...(bounds[0] - 1) : nil
        let above = bounds[1] < 65_535 - 1_000 ? (bounds[1] + 1)...65_535 : nil
        return below ?? above ?? preferred
    }

    /// Whether QEMU could listen on the port, and no other Kiln keeps it; one of datagrams is free where it can be bound.
    ///
    /// SO_REUSEADDR is what tells the two apart from the remains of closed connections (TIME_WAIT): with it, a bind
    /// fails only beside a listener; without it, also beside a reservation and beside such remains.
    public func isFree(_ port: UInt16, _ transport: Transport) -> Bool {
        guard transport == .tcp else { return BoundSocket(port, reuse: false, .udp) != nil }
        guard let shared = BoundSocket(port, reuse: true) else { return false }
        shared.release()
        if let alone = BoundSocket(port, reuse: false) {
            alone.release()
            return true
        }
        return TCPTable.hasConnection(onPort: port)
    }

    /// Keeps the ports with bound sockets that do not listen; QEMU, which sets SO_REUSEADDR, can still listen on them.
    ///
    /// - Throws: `KilnError` with code `port.taken` beside a listener; nothing is kept then.
    public func reserve(_ ports: [UInt16]) throws -> any PortReservation {
        let sockets = try ports.map { port in
            guard let socket = BoundSocket(port, reuse: true) else { throw LoopbackPorts.taken(port) }
            return socket
        }
        return SocketReservation(sockets)
    }

    /// The error for a port that something else listens on.
    static func taken(_ port: UInt16, _ transport: Transport = .tcp, cause: String? = nil) -> KilnError {
        let holder = transport == .tcp ? TCPTable.listener(onPort: port).map { " by \($0)" } ?? "" : ""
        return KilnError(
            .portTaken,
            "port \(port)\(transport.suffix) on 127.0.0.1 is taken\(holder)",
            hint: "end what listens there, or give the server another port",
            cause: cause,
            exit: .blocked
        )
    }
}

/// Sockets that keep ports until released or forgotten.
private final class SocketReservation: PortReservation {
    private let sockets: Mutex<[BoundSocket]>

    init(_ sockets: [BoundSocket]) {
        self.sockets = Mutex(sockets)
    }

    func release() {
        sockets.withLock { $0.removeAll() }
    }
}

/// A socket bound to a port of 127.0.0.1, not listening; closed at the end of its life.
private final class BoundSocket: Sendable {
    private let descriptor: Mutex<Int32>

    /// Binds; nothing where the kernel refuses.
    init?(_ port: UInt16, reuse: Bool, _ transport: Transport = .tcp) {
        let type = transport == .tcp ? SOCK_STREAM : SOCK_DGRAM
        let socket = Glibc.socket(AF_INET, Int32(type.rawValue) | SocketFlags.closeOnExec, 0)
        guard socket >= 0 else { return nil }
        var on: Int32 = reuse ? 1 : 0
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        guard LoopbackAddress.with(port, { bind(socket, $0, $1) }) == 0 else {
            close(socket)
            return nil
        }
        descriptor = Mutex(socket)
    }

    deinit { release() }

    func release() {
        descriptor.withLock { socket in
            if socket >= 0 { close(socket) }
            socket = -1
        }
    }
}
