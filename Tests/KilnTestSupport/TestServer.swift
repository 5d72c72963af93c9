import Foundation
import Glibc
import Synchronization

/// A server on a port of 127.0.0.1 whose every connection is answered by a closure, on a thread of its own.
public final class TestServer: Sendable {
    /// The port.
    public var port: UInt16 { listener.port }
    /// What was asked so far, each up to the end of its headers and with what came of its body.
    public var requests: [String] { asked.list.withLock { $0 } }

    private let listener: Listener
    private let asked = Requests()

    private final class Requests: Sendable {
        let list = Mutex<[String]>([])
    }

    /// A server that answers by `answer`, which may go on as long as somebody reads.
    public init(_ answer: @escaping @Sendable (Peer) -> Void) throws {
        listener = try Listener(backlog: 64)
        Thread.detachNewThread { [listener, asked] in
            while true {
                let socket = accept(listener.socket, nil, nil)
                guard socket >= 0 else { return }
                Thread.detachNewThread {
                    let peer = Peer(socket)
                    peer.request = peer.receive()
                    asked.list.withLock { [request = peer.request] in $0.append(request) }
                    answer(peer)
                }
            }
        }
    }

    /// A server that always says the same.
    public convenience init(saying text: String) throws { try self.init { $0.send(text) } }

    // Wakes up who accepts.
    deinit { shutdown(listener.socket, Int32(SHUT_RDWR)) }
}

/// The other end of a connection to a ``TestServer``.
public final class Peer {
    /// What it asked, up to the end of the headers.
    public fileprivate(set) var request = ""
    private let socket: Int32

    init(_ socket: Int32) { self.socket = socket }

    deinit { close(socket) }

    /// Sends a text; false once nobody reads any more.
    @discardableResult public func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// Sends bytes; false once nobody reads any more.
    @discardableResult public func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    /// Waits until the other end has closed the connection; false where it does not for half a minute.
    public func waitForEnd() -> Bool {
        var time = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        var byte: UInt8 = 0
        return recv(socket, &byte, 1, 0) == 0
    }

    fileprivate func receive() -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        // Up to the end of the headers; who begins with TLS sends none.
        while bytes.firstRange(of: Array("\r\n\r\n".utf8)) == nil, bytes.first != 0x16 {
            let count = recv(socket, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            bytes += buffer.prefix(count)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
