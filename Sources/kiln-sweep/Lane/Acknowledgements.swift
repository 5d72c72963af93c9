import Foundation
import Glibc
import Synchronization

/// A record that a guest says its disk has: its number and the checksum that tells it from others of this number.
struct Acknowledgement: Hashable, Sendable {
    let number: UInt64
    let checksum: String

    /// Reads the line `NUMBER CHECKSUM`.
    init?(line: some StringProtocol) {
        let fields = line.split(separator: " ")
        guard fields.count == 2, let number = UInt64(fields[0]), fields[1].utf8.count == 8 else { return nil }
        self.number = number
        checksum = String(fields[1])
    }
}

/// Collects what the ledger writers of a home's machines acknowledge.
///
/// Threads of its own follow every ledger socket that appears, so no moment is missed at which a machine writes.
final class Acknowledgements: Sendable {
    private struct State {
        var received: [Acknowledgement] = []
        var marks: [UInt64] = []
        var followed: Set<String> = []
        var lastArrival = ContinuousClock.now
    }

    private let state = Mutex(State())
    private let arrived: @Sendable () -> UInt64

    /// Starts to follow the sockets `*.ledger` that are or will be in `directory`.
    ///
    /// - Parameter mark: asked for at each arrival; what it returns is kept beside the acknowledgement.
    init(directory: String, mark: @escaping @Sendable () -> UInt64 = { 0 }) {
        arrived = mark
        Thread.detachNewThread { [weak self] in
            // No event tells of a new socket before the guest can write to it.
            while self?.look(in: directory) != nil { pause(.milliseconds(30)) }
        }
    }

    /// All since the last call of ``forget()``, in order.
    var all: [Acknowledgement] { state.withLock { $0.received } }

    /// All, each with its mark.
    var marked: [(acknowledgement: Acknowledgement, mark: UInt64)] {
        state.withLock { state in zip(state.received, state.marks).map { ($0, $1) } }
    }

    var count: Int { state.withLock { $0.received.count } }

    /// Gives all to `body` and forgets them, once nothing has arrived for a while; the writer has to have stopped.
    func forget(_ body: ([Acknowledgement]) -> Void) throws {
        try awaitThat("acknowledgements of a writer that has ended stop arriving", within: .seconds(10)) {
            state.withLock { ContinuousClock.now - $0.lastArrival > .milliseconds(150) }
        }
        let all = state.withLock { state in
            defer { (state.received, state.marks) = ([], []) }
            return state.received
        }
        body(all)
    }

    private func look(in directory: String) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        for name in names where name.hasSuffix(".ledger") {
            let path = "\(directory)/\(name)"
            guard state.withLock({ $0.followed.insert(path).inserted }) else { continue }
            guard let descriptor = LocalSocket.connected(to: path) else {
                state.withLock { _ = $0.followed.remove(path) }
                continue
            }
            Thread.detachNewThread { [weak self] in
                LocalSocket.lines(of: descriptor) { self?.take($0) }
                self?.state.withLock { _ = $0.followed.remove(path) }
            }
        }
    }

    private func take(_ line: String) {
        let mark = arrived()
        guard let acknowledgement = Acknowledgement(line: line) else { return }
        state.withLock { state in
            state.received.append(acknowledgement)
            state.lastArrival = .now
            state.marks.append(mark)
        }
    }
}

/// Unix sockets, and ports of 127.0.0.1.
enum LocalSocket {
    /// Connects to a unix socket; nothing where nobody listens.
    static func connected(to path: String) -> Int32? {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
        }
        if status == 0 { return descriptor }
        close(descriptor)
        return nil
    }

    /// Reads whole lines until the connection ends, and closes it.
    static func lines(of descriptor: Int32, _ body: (String) -> Void) {
        var rest: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { break }
            rest += buffer.prefix(count)
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                body(String(decoding: rest[..<end], as: UTF8.self))
                rest.removeSubrange(...end)
            }
            // A guest that sends no newline is not listened to.
            if rest.count > 1 << 20 { break }
        }
        close(descriptor)
    }

    /// The whole answer to `GET path` on a port of 127.0.0.1; nothing where none comes within five seconds.
    static func get(port: UInt16, _ path: String) -> String? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var limit = timeval(tv_sec: 5, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
        }
        let request = Array("GET \(path) HTTP/1.0\r\n\r\n".utf8)
        guard status == 0, send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else {
            return nil
        }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while answer.count < 1 << 20 {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { break }
            answer += buffer.prefix(count)
        }
        return answer.isEmpty ? nil : String(decoding: answer, as: UTF8.self)
    }
}
