import Foundation
import Glibc

/// A TCP connection to 127.0.0.1 whose every operation ends at one deadline.
///
/// It blocks its thread, so it is used on a thread of its own: see ``BlockingWork``.
public final class LoopbackConnection {
    /// Why an exchange did not come about.
    public struct Failure: Error {
        /// The system's or this type's words.
        public let reason: String
        /// Whether the peer only has not done its part in time.
        public let isSilence: Bool

        /// Nothing came in time.
        public static let silence = Failure(reason: "no sign of an answer in time", isSilence: true)

        init(reason: String, isSilence: Bool = false) {
            self.reason = reason
            self.isSilence = isSilence
        }
    }

    private let socket: Int32
    private let end: ContinuousClock.Instant

    /// Connects.
    public init(port: UInt16, within limit: Duration) throws(Failure) {
        end = .now + limit
        socket = Glibc.socket(
            AF_INET,
            Int32(SOCK_STREAM.rawValue) | SocketFlags.nonBlocking | SocketFlags.closeOnExec,
            0
        )
        guard socket >= 0 else { throw Failure(reason: LoopbackConnection.text(errno)) }
        let result = LoopbackAddress.with(port) { connect(socket, $0, $1) }
        if result == 0 { return }
        guard errno == EINPROGRESS else { throw Failure(reason: LoopbackConnection.text(errno)) }
        try wait(Int16(POLLOUT), for: "a connection")
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(socket, SOL_SOCKET, SO_ERROR, &code, &length)
        guard code == 0 else { throw Failure(reason: LoopbackConnection.text(code)) }
    }

    deinit {
        if socket >= 0 { close(socket) }
    }

    /// Sends all bytes.
    public func send(_ bytes: [UInt8]) throws(Failure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                try wait(Int16(POLLOUT), for: "the peer to read")
            } else if errno != EINTR {
                throw Failure(reason: LoopbackConnection.text(errno))
            }
        }
    }

    /// Reads until `isComplete`, the end of the stream, or `limit` bytes; returns what was read.
    ///
    /// - Throws: `Failure` at the deadline and when the peer resets the connection.
    public func receive(limit: Int, until isComplete: ([UInt8]) -> Bool) throws(Failure) -> [UInt8] {
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while received.count < limit && !isComplete(received) {
            let count = recv(socket, &buffer, min(buffer.count, limit - received.count), 0)
            if count > 0 {
                received.append(contentsOf: buffer.prefix(count))
            } else if count == 0 {
                return received
            } else if errno == EAGAIN {
                try wait(Int16(POLLIN), for: "an answer")
            } else if errno != EINTR {
                throw Failure(reason: LoopbackConnection.text(errno))
            }
        }
        return received
    }

    private func wait(_ events: Int16, for what: String) throws(Failure) {
        while true {
            let left = end - .now
            guard left > .zero else { throw Failure(reason: "no sign of \(what) in time", isSilence: true) }
            let milliseconds = Int32(
                left.components.seconds * 1_000 + left.components.attoseconds / 1_000_000_000_000_000
            )
            var descriptor = pollfd(fd: socket, events: events, revents: 0)
            // A failed connection or a reset wakes the poll too; the call that follows says what it was.
            if poll(&descriptor, 1, milliseconds + 1) > 0 { return }
        }
    }

    private static func text(_ code: Int32) -> String { String(cString: strerror(code)) }
}

/// 127.0.0.1 with a port, as the socket calls want it.
public enum LoopbackAddress {
    /// Calls `body` with the address.
    public static func with<Result>(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}

/// Flags of socket(2), as the numbers that the call takes.
public enum SocketFlags {
    /// SOCK_NONBLOCK.
    public static let nonBlocking = Int32(SOCK_NONBLOCK.rawValue)
    /// SOCK_CLOEXEC.
    public static let closeOnExec = Int32(SOCK_CLOEXEC.rawValue)
}
