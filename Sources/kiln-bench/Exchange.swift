import Foundation

/// One request and its answer, on a socket that never blocks.
struct Exchange {
    /// How an exchange stands.
    enum Progress {
        case goesOn
        /// A whole answer of status 200.
        case answered(body: [UInt8])
        /// Nobody listens, or a whole answer of another status, which may say why.
        case refused(body: [UInt8] = [])
        /// It ended before the answer was whole.
        case broken
    }

    /// Why an exchange could not be begun.
    struct NotBegun: Error {
        /// Whether nobody listens; else this process can have no socket.
        let isRefused: Bool
    }

    let descriptor: Int32
    let start = ContinuousClock.now
    /// Which of its client's requests it is.
    let number: Int
    private let request: [UInt8]
    private var isReady = false
    private var isSent = false
    private var received: [UInt8] = []

    private static let longestAnswer = 65_536

    /// Asks a machine who it is.
    static let generation = Array("GET /generation HTTP/1.0\r\n\r\n".utf8)

    /// Begins to connect.
    init(port: UInt16, request: [UInt8], number: Int = 0) throws(NotBegun) {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        (self.request, self.number) = (request, number)
        descriptor = socket(AF_INET, kind, 0)
        guard descriptor >= 0 else { throw NotBegun(isRefused: false) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        let reason = errno
        guard status != 0, reason != EINPROGRESS else { return }
        close(descriptor)
        throw NotBegun(isRefused: reason == ECONNREFUSED)
    }

    /// Waits until something can be done about one of them, and marks which.
    static func waited(for exchanges: [Exchange], atMost pause: Duration) -> [Exchange] {
        var wanted = exchanges.map {
            pollfd(fd: $0.descriptor, events: Int16($0.isSent ? POLLIN : POLLOUT), revents: 0)
        }
        let milliseconds = max(1, Int32((pause / .milliseconds(1)).rounded(.up)))
        guard poll(&wanted, nfds_t(wanted.count), milliseconds) > 0 else { return exchanges }
        return zip(exchanges, wanted).map { exchange, found in
            var exchange = exchange
            exchange.isReady = found.revents != 0
            return exchange
        }
    }

    /// Sends or receives what can be.
    mutating func advance() -> Progress {
        guard isReady else { return .goesOn }
        isReady = false
        guard isSent else {
            let count = request.withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0 && errno == ECONNREFUSED { return .refused() }
            isSent = count == request.count
            return isSent ? .goesOn : .broken
        }
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count >= 0, received.count < Exchange.longestAnswer else { return .broken }
        received += buffer.prefix(count)
        guard count == 0 else { return .goesOn }
        guard let answer = WholeAnswer(received) else { return .broken }
        return answer.status == 200 ? .answered(body: answer.body) : .refused(body: answer.body)
    }
}

/// An answer of as many bytes as it says itself that it has.
private struct WholeAnswer {
    let status: Int
    let body: [UInt8]

    private static let lineEnd = Data("\r\n".utf8)

    /// Nothing where it is not whole.
    init?(_ received: [UInt8]) {
        guard let end = Data(received).range(of: WholeAnswer.lineEnd + WholeAnswer.lineEnd) else { return nil }
        let head = String(decoding: received[..<end.lowerBound], as: UTF8.self).lowercased().split(separator: "\r\n")
        let rest = Data(received[end.upperBound...])
        func says(_ name: Substring, _ value: Substring) -> Bool {
            head.contains { $0.split(separator: " ") == [name, value] }
        }
        guard let words = head.first?.split(separator: " "), words.count > 1, let status = Int(words[1]) else {
            return nil
        }
        if says("transfer-encoding:", "chunked") {
            guard let joined = WholeAnswer.joined(rest) else { return nil }
            body = Array(joined)
        } else {
            guard says("content-length:", "\(rest.count)") else { return nil }
            body = Array(rest)
        }
        self.status = status
    }

    // Each chunk has its length in hexadecimal digits before it; one of no length is the end (RFC 9112, 7.1).
    private static func joined(_ bytes: Data) -> Data? {
        var (body, rest) = (Data(), bytes)
        while let line = rest.range(of: lineEnd) {
            let digits = String(decoding: rest[rest.startIndex..<line.lowerBound], as: UTF8.self)
            guard let length = Int(digits.prefix { $0.isHexDigit }, radix: 16), length >= 0 else { return nil }
            if length == 0 { return body }
            guard length + lineEnd.count <= rest.endIndex - line.upperBound else { return nil }
            let end = line.upperBound + length
            body += rest[line.upperBound..<end]
            rest = rest[(end + lineEnd.count)...]
        }
        return nil
    }
}
