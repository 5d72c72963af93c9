import Foundation

/// One request for `/generation` and its answer, on a socket that never blocks.
struct Exchange {
    /// How an exchange stands.
    enum Progress {
        case goesOn
        case answered(generation: String)
        case failed
    }

    let descriptor: Int32
    let start = ContinuousClock.now
    private var isReady = false
    private var isSent = false
    private var received: [UInt8] = []

    private static let request = Array("GET /generation HTTP/1.0\r\n\r\n".utf8)
    private static let longestAnswer = 65_536

    /// Begins to connect.
    init?(port: UInt16) {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        descriptor = socket(AF_INET, kind, 0)
        guard descriptor >= 0 else { return nil }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if status != 0 && errno != EINPROGRESS {
            close(descriptor)
            return nil
        }
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
            isSent = Exchange.request.withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) == $0.count
            }
            return isSent ? .goesOn : .failed
        }
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count >= 0, received.count < Exchange.longestAnswer else { return .failed }
        received += buffer.prefix(count)
        guard count == 0 else { return .goesOn }
        return generation.map { .answered(generation: $0) } ?? .failed
    }

    // Of a complete answer: as long as it says itself that it is.
    private var generation: String? {
        struct Description: Decodable {
            let instance: String

            enum CodingKeys: String, CodingKey { case instance = "instance-id" }
        }
        guard let end = Data(received).range(of: Data("\r\n\r\n".utf8)) else { return nil }
        let head = String(decoding: received[..<end.lowerBound], as: UTF8.self).lowercased().split(separator: "\r\n")
        let body = Data(received[end.upperBound...])
        guard let status = head.first?.split(separator: " "), status.count > 1, status[1] == "200",
            head.contains(where: { $0.split(separator: " ") == ["content-length:", Substring("\(body.count)")] })
        else { return nil }
        return try? JSONDecoder().decode(Description.self, from: body).instance
    }
}
