import Foundation
import Glibc

/// Stream sockets of the file system: unix(7).
public enum UnixSocket {
    /// The longest path of a socket, in bytes: sockaddr_un has 108 for it, one of them for the end.
    public static let longestPath = 107

    /// Connects to the socket at `path`; no program started from here inherits the connection.
    ///
    /// - Returns: the connection's descriptor, which the caller closes.
    /// - Throws: `POSIXError`; `ENAMETOOLONG` for a longer path than ``longestPath``.
    public static func connect(to path: String) throws(POSIXError) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count <= longestPath else { throw POSIXError(.ENAMETOOLONG) }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | SocketFlags.closeOnExec, 0)
        guard descriptor >= 0 else { throw lastError() }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else {
            let error = lastError()
            close(descriptor)
            throw error
        }
        return descriptor
    }

    private static func lastError() -> POSIXError { POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
}
