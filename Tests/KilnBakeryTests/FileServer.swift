import Foundation
import KilnTestSupport

/// What a server of files does, honest or not.
struct FileServer {
    var content: [UInt8]
    var tag: String? = "\"1\""
    /// Whether it sends parts.
    var ranges = true
    /// Whether it looks at what the part is to be a part of.
    var heedsTag = true
    /// How much it sends before it closes the connection; all where it is nothing.
    var sends: Int?

    func answer(_ peer: Peer) {
        let isSame = !heedsTag || peer.header("If-Range").map { $0 == tag } ?? true
        guard ranges, isSame, let start = peer.start else {
            return send(to: peer, "HTTP/1.1 200 OK", content[...], "")
        }
        guard start < content.count else { return _ = peer.send("HTTP/1.1 416 Range Not Satisfiable\r\n\r\n") }
        let range = "Content-Range: bytes \(start)-\(content.count - 1)/\(content.count)\r\n"
        send(to: peer, "HTTP/1.1 206 Partial Content", content[start...], range)
    }

    private func send(to peer: Peer, _ status: String, _ part: ArraySlice<UInt8>, _ more: String) {
        let tag = tag.map { "ETag: \($0)\r\n" } ?? ""
        peer.send("\(status)\r\nContent-Length: \(part.count)\r\n\(tag)\(more)Connection: close\r\n\r\n")
        peer.send(Array(part.prefix(sends ?? part.count)))
    }
}

extension Peer {
    /// The value of a header of the request.
    func header(_ name: String) -> String? {
        request.split(whereSeparator: \.isNewline).first { $0.hasPrefix("\(name): ") }
            .map { String($0.dropFirst(name.count + 2)) }
    }

    /// The first byte that is wanted, where a part is.
    var start: Int? { header("Range").flatMap { Int($0.dropFirst("bytes=".count).prefix { $0.isNumber }) } }

    /// The path that is asked for.
    var path: String { request.split(separator: " ").dropFirst().first.map(String.init) ?? "" }

    /// Leads to another address.
    func redirect(to address: String) {
        send("HTTP/1.1 302 Found\r\nLocation: \(address)\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno\n")
    }
}
