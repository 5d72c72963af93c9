import Foundation
import Glibc
import KilnModel
import KilnSystem

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
        guard let client = try connected(to: path) else { return nil }
        defer { close(client) }
        // struct ucred: pid, uid, gid.
        var credentials: (pid_t, uid_t, gid_t) = (0, 0, 0)
        var size = socklen_t(MemoryLayout.size(ofValue: credentials))
        guard getsockopt(client, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0 else {
            throw unreachable(path, errno)
        }
        return Listener(pid: credentials.0, uid: credentials.1)
    }

    private static func connected(to path: String) throws -> Int32? {
        do {
            return try UnixSocket.connect(to: path)
        } catch {
            switch error.code {
            case .ENOENT, .ECONNREFUSED, .ENOTDIR: return nil
            case let code: throw unreachable(path, code.rawValue)
            }
        }
    }

    private static func unreachable(_ path: String, _ code: Int32) -> KilnError {
        KilnError(
            .daemonUnreachable,
            "the private libvirt daemon's socket \(path) can't be connected to",
            hint: "check that KILN_HOME belongs to the user who runs kiln",
            cause: String(cString: strerror(code)),
            exit: .unreachable
        )
    }
}
