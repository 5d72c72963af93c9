import Foundation
import Glibc
import KilnModel

/// Asks the kernel whether somebody accepts connections at a Unix socket, and who.
enum DaemonSocket {
    /// The process that listens.
    struct Listener: Hashable {
        let pid: Int32
        let uid: UInt32
    }

    /// The process that listens at `path`, or nil where nobody does: no socket, or one left by a dead process.
    ///
    /// A pid file could be stale; SO_PEERCRED (unix(7)) names the process that called listen(2).
    ///
    /// - Throws: `KilnError` with code `daemon.unreachable` where the socket can't be asked.
    static func listener(at path: String) throws -> Listener? {
        let client = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard client >= 0 else { throw unreachable(path, errno) }
        defer { close(client) }
        guard try connected(client, to: path) else { return nil }
        // struct ucred: pid, uid, gid.
        var credentials: (pid_t, uid_t, gid_t) = (0, 0, 0)
        var size = socklen_t(MemoryLayout.size(ofValue: credentials))
        guard getsockopt(client, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0 else {
            throw unreachable(path, errno)
        }
        return Listener(pid: credentials.0, uid: credentials.1)
    }

    private static func connected(_ client: Int32, to path: String) throws -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw unreachable(path, ENAMETOOLONG)
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(client, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        if result == 0 { return true }
        switch errno {
        case ENOENT, ECONNREFUSED, ENOTDIR: return false
        case let code: throw unreachable(path, code)
        }
    }

    private static func unreachable(_ path: String, _ code: Int32) -> KilnError {
        KilnError(
            "daemon.unreachable",
            "the private libvirt daemon's socket \(path) can't be connected to",
            hint: "check that KILN_HOME belongs to the user who runs kiln",
            cause: String(cString: strerror(code)),
            exit: .unreachable
        )
    }
}
