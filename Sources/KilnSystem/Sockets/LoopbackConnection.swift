import Dispatch
import Foundation
import Glibc

/// Why a peer's answer did not come.
public struct NoAnswer: Error, Equatable {
    /// What went wrong, as far as it can be told apart.
    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        /// Nobody took the connection.
        case refused
        /// A connection that stood was broken off.
        case reset
        /// It was closed before the answer, or within it.
        case closed
        /// The peer has not done its part in time.
        case timeout
        /// What came is no answer.
        case garbled
        /// Anything else, such as a certificate that is not trusted.
        case other
    }

    /// The system's words, or what there was instead.
    public let reason: String
    /// What went wrong.
    public let kind: Kind
    /// Whether the peer only has not done its part in time.
    public var isSilence: Bool { kind == .timeout }

    /// Nothing came in time.
    public static let silence = NoAnswer("no sign of an answer in time", kind: .timeout)

    /// A reason.
    public init(_ reason: String, kind: Kind = .other) {
        self.reason = reason
        self.kind = kind
    }

    /// What a system call said.
    public init(errno code: Int32) {
        let kind: Kind =
            switch code {
            case ECONNREFUSED: .refused
            case ECONNRESET, EPIPE: .reset
            case ETIMEDOUT: .timeout
            default: .other
            }
        self.init(String(cString: strerror(code)), kind: kind)
    }
}

/// A TCP connection to 127.0.0.1; whoever waits for it holds no thread, and is back at once when the task is cancelled.
public final class LoopbackConnection {
    private let socket: Int32

    /// Sends `bytes`, and reads until `isComplete`, the end of the stream, or `limit` bytes.
    ///
    /// - Returns: what was read, or why nothing is known of an answer.
    public static func answer(
        to bytes: [UInt8],
        on port: UInt16,
        within time: Duration,
        atMost limit: Int,
        until isComplete: @escaping @Sendable ([UInt8]) -> Bool
    ) async -> Result<[UInt8], NoAnswer> {
        do {
            let answer = try await withDeadline(time, operation: "exchange a text with port \(port)") {
                let connection = try await LoopbackConnection(port: port)
                try await connection.send(bytes)
                return try await connection.receive(limit: limit, until: isComplete)
            }
            return .success(answer)
        } catch {
            return .failure(error as? NoAnswer ?? .silence)
        }
    }

    private init(port: UInt16) async throws {
        socket = Glibc.socket(
            AF_INET,
            Int32(SOCK_STREAM.rawValue) | SocketFlags.nonBlocking | SocketFlags.closeOnExec,
            0
        )
        guard socket >= 0 else { throw LoopbackConnection.failure(errno) }
        let result = LoopbackAddress.with(port) { connect(socket, $0, $1) }
        if result == 0 { return }
        guard errno == EINPROGRESS else { throw LoopbackConnection.failure(errno) }
        try await Readiness(toWrite: socket).wait()
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(socket, SOL_SOCKET, SO_ERROR, &code, &length)
        guard code == 0 else { throw LoopbackConnection.failure(code) }
    }

    deinit {
        if socket >= 0 { close(socket) }
    }

    private func send(_ bytes: [UInt8]) async throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                try await Readiness(toWrite: socket).wait()
            } else if errno != EINTR {
                throw LoopbackConnection.failure(errno)
            }
        }
    }

    private func receive(limit: Int, until isComplete: ([UInt8]) -> Bool) async throws -> [UInt8] {
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while received.count < limit && !isComplete(received) {
            let count = recv(socket, &buffer, min(buffer.count, limit - received.count), 0)
            if count > 0 {
                received.append(contentsOf: buffer.prefix(count))
            } else if count == 0 {
                return received
            } else if errno == EAGAIN {
                try await Readiness(toRead: socket).wait()
            } else if errno != EINTR {
                throw LoopbackConnection.failure(errno)
            }
        }
        return received
    }

    private static func failure(_ code: Int32) -> NoAnswer { NoAnswer(errno: code) }
}

/// The moment at which a socket can be read or written, or has failed; used once.
private final class Readiness: @unchecked Sendable {
    private static let queue = DispatchQueue(label: "kiln.sockets")
    // Its methods may be called on any thread.
    private let source: any DispatchSourceProtocol

    init(toRead socket: Int32) {
        source = DispatchSource.makeReadSource(fileDescriptor: socket, queue: Readiness.queue)
    }

    init(toWrite socket: Int32) {
        source = DispatchSource.makeWriteSource(fileDescriptor: socket, queue: Readiness.queue)
    }

    // The socket may be closed once the source has said that it is cancelled.
    func wait() async throws {
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                source.setEventHandler { [source] in source.cancel() }
                source.setCancelHandler { waiter.resume() }
                source.activate()
            }
        } onCancel: {
            source.cancel()
        }
        try Task.checkCancellation()
    }
}

/// 127.0.0.1 with a port, as the socket calls want it.
public enum LoopbackAddress {
    private static let number = UInt32(0x7f00_0001).bigEndian

    /// Whether an address is 127.0.0.1, with whatever port.
    public static func isOf(_ address: sockaddr) -> Bool {
        withUnsafeBytes(of: address) { $0.loadUnaligned(as: sockaddr_in.self) }.sin_addr.s_addr == number
            && address.sa_family == sa_family_t(AF_INET)
    }

    /// Calls `body` with the address.
    public static func with<Result>(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = number
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
