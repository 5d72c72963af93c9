import Foundation
import KilnModel

/// One end of two connected sockets.
final class ConnectedSocket: Sendable {
    let descriptor: Int32

    private init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// Two ends; no program that is started meanwhile gets them.
    ///
    /// - Throws: `KilnError` with code `sql.failed`.
    static func pair() throws -> (ConnectedSocket, ConnectedSocket) {
        var ends: [Int32] = [0, 0]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw failure(errno)
        }
        return (ConnectedSocket(ends[0]), ConnectedSocket(ends[1]))
    }

    /// Another descriptor of the same end, which belongs to the caller.
    func release() -> Int32 { fcntl(descriptor, F_DUPFD_CLOEXEC, 0) }

    /// Sends bytes that a peer who waits for them takes at once.
    ///
    /// - Throws: `KilnError` with code `sql.failed`.
    func send(_ bytes: [UInt8]) throws {
        let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
        let count = Foundation.send(descriptor, bytes, bytes.count, flags)
        guard count == bytes.count else { throw ConnectedSocket.failure(count < 0 ? errno : EAGAIN) }
    }

    /// Ends both directions; who reads at the other end sees it.
    func shutDown() { _ = shutdown(descriptor, Int32(SHUT_RDWR)) }

    private static func failure(_ code: Int32) -> KilnError {
        KilnError(.sqlFailed, "a session with a database broke off: \(String(cString: strerror(code)))", exit: .unmet)
    }
}
