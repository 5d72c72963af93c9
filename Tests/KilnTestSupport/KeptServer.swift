import Foundation
import Glibc
import Synchronization

/// An HTTP server on a port of 127.0.0.1 that reads whole requests, and keeps connections where its answers leave them open.
public final class KeptServer: Sendable {
    /// What came as one request.
    public struct Request: Sendable {
        /// The first line, such as `GET / HTTP/1.1`.
        public let line: String
        /// The body.
        public let body: String
        /// Which connection it came over, from 1.
        public let connection: Int
    }

    /// The port.
    public var port: UInt16 { listener.port }
    /// The requests so far.
    public var requests: [Request] { log.requests.withLock { $0 } }

    private let listener: Listener
    private let log = Log()

    private final class Log: Sendable {
        let requests = Mutex<[Request]>([])
    }

    /// A server that says what `answer` returns; nothing, and it hangs up without a word.
    public init(_ answer: @escaping @Sendable (Request) -> String?) throws {
        listener = try Listener(backlog: 64)
        Thread.detachNewThread { [listener, log] in
            var count = 0
            while true {
                let socket = accept(listener.socket, nil, nil)
                guard socket >= 0 else { return }
                count += 1
                let number = count
                Thread.detachNewThread { KeptServer.serve(socket, number, log, answer) }
            }
        }
    }

    // Wakes up who accepts.
    deinit { shutdown(listener.socket, Int32(SHUT_RDWR)) }

    /// A whole answer, after which the connection stays open.
    public static func answer(_ status: Int, _ body: String) -> String {
        "HTTP/1.1 \(status) X\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    private static func serve(
        _ socket: Int32,
        _ number: Int,
        _ log: Log,
        _ answer: @Sendable (Request) -> String?
    ) {
        defer { close(socket) }
        var buffer: [UInt8] = []
        while let request = next(socket, &buffer, number) {
            log.requests.withLock { $0.append(request) }
            guard let text = answer(request) else { return }
            let bytes = Array(text.utf8)
            guard send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else { return }
        }
    }

    private static func next(_ socket: Int32, _ buffer: inout [UInt8], _ number: Int) -> Request? {
        var part = [UInt8](repeating: 0, count: 4096)
        while true {
            if let end = buffer.firstRange(of: Array("\r\n\r\n".utf8)) {
                let lines = String(decoding: buffer[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
                let field = lines.first { $0.lowercased().hasPrefix("content-length:") }
                let length = field.flatMap { Int($0.dropFirst(15).trimmingCharacters(in: .whitespaces)) } ?? 0
                if buffer.count >= end.upperBound + length {
                    let body = String(decoding: buffer[end.upperBound..<end.upperBound + length], as: UTF8.self)
                    buffer.removeSubrange(..<(end.upperBound + length))
                    return Request(line: lines[0], body: body, connection: number)
                }
            }
            let count = recv(socket, &part, part.count, 0)
            guard count > 0 else { return nil }
            buffer += part.prefix(count)
        }
    }
}
