import Foundation
import Glibc

/// Sockets of the file system: unix(7).
public enum UnixSocket {
    /// The longest path of a socket, in bytes: sockaddr_un has 108 for it, one of them for the end.
    public static let longestPath = 107

    /// How bytes travel through a socket.
    public enum Kind: Sendable, Hashable {
        /// As a stream, on a connection.
        case stream
        /// In packets that keep their bounds, on a connection.
        case packets
        /// In packets without a connection.
        case datagrams

        fileprivate var type: Int32 {
            switch self {
            case .stream: Int32(SOCK_STREAM.rawValue)
            case .packets: Int32(SOCK_SEQPACKET.rawValue)
            case .datagrams: Int32(SOCK_DGRAM.rawValue)
            }
        }
    }

    /// Connects to the socket at `path`; no program started from here inherits the connection.
    ///
    /// - Parameter seconds: how long it waits where more want to connect than the other end has taken yet; for ever without it.
    /// - Returns: the connection's descriptor, which the caller closes.
    /// - Throws: `POSIXError`; `ENAMETOOLONG` for a longer path than ``longestPath``, `EAGAIN` when the time is over.
    public static func connect(
        to path: String,
        _ kind: Kind = .stream,
        within seconds: Int? = nil
    ) throws(POSIXError) -> Int32 {
        let address = try UnixAddress(path)
        let descriptor = socket(AF_UNIX, kind.type | SocketFlags.closeOnExec, 0)
        guard descriptor >= 0 else { throw lastError() }
        if let seconds {
            var time = timeval(tv_sec: seconds, tv_usec: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        }
        return try kept(descriptor, address.with { Glibc.connect(descriptor, $0, $1) })
    }

    /// A socket at `path` that never blocks, in place of whatever had that name; no program started from here inherits it.
    ///
    /// - Returns: its descriptor, which the caller closes.
    /// - Throws: `POSIXError`; `ENAMETOOLONG` for a longer path than ``longestPath``.
    public static func bound(to path: String, _ kind: Kind) throws(POSIXError) -> Int32 {
        let address = try UnixAddress(path)
        let descriptor = socket(AF_UNIX, kind.type | SocketFlags.closeOnExec | SocketFlags.nonBlocking, 0)
        guard descriptor >= 0 else { throw lastError() }
        unlink(path)
        return try kept(descriptor, address.with { bind(descriptor, $0, $1) })
    }

    private static func kept(_ descriptor: Int32, _ result: Int32) throws(POSIXError) -> Int32 {
        guard result != 0 else { return descriptor }
        let error = lastError()
        close(descriptor)
        throw error
    }

    private static func lastError() -> POSIXError { POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
}

/// The address of a socket of the file system.
public struct UnixAddress: Sendable {
    private var address = sockaddr_un()
    /// Its path as bytes.
    public let path: [UInt8]

    /// The address of a path.
    ///
    /// - Throws: `POSIXError` with `ENAMETOOLONG` for a longer path than ``UnixSocket/longestPath``.
    public init(_ path: String) throws(POSIXError) {
        let bytes = Array(path.utf8)
        guard bytes.count <= UnixSocket.longestPath else { throw POSIXError(.ENAMETOOLONG) }
        self.path = bytes
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    }

    /// Calls the kernel with it.
    public func with<Result>(_ call: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                call($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    /// Whether a datagram came from it.
    public func isSource(_ source: borrowing sockaddr_un, length: socklen_t) -> Bool {
        let offset = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
        return withUnsafeBytes(of: source.sun_path) { bytes in
            let named = bytes.prefix(max(0, Int(length) - offset)).prefix { $0 != 0 }
            return named.elementsEqual(path)
        }
    }
}
