import Foundation
import KilnModel
import Synchronization

/// A unix socket of the raw QEMU at which its monitor or the guest's agent listens; both speak lines of JSON.
///
/// https://www.qemu.org/docs/master/interop/qmp-spec.html, https://www.qemu.org/docs/master/interop/qemu-ga-ref.html
///
/// Calls block; `run` puts them on a thread of their own.
final class SocketConnection: Sendable {
    private let descriptor: Int32
    private let isCancelled = Atomic(false)
    private let deadline: ContinuousClock.Instant
    private let received = Mutex<[UInt8]>([])

    /// Connects as soon as QEMU has made the socket.
    init(to path: String, until deadline: ContinuousClock.Instant) async throws {
        self.deadline = deadline
        while true {
            if let descriptor = SocketConnection.connected(to: path) {
                self.descriptor = descriptor
                return
            }
            guard ContinuousClock.now < deadline else { throw Failure("QEMU made no socket \(path)") }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    deinit { close(descriptor) }

    /// Does something with the agent on a thread that may block.
    func run<Value: Sendable>(_ body: @escaping @Sendable (SocketConnection) throws -> Value) async throws -> Value {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                Thread.detachNewThread { continuation.resume(with: Result { try body(self) }) }
            }
        } onCancel: {
            isCancelled.store(true, ordering: .relaxed)
        }
    }

    /// Waits until the monitor answers, which it does once the machine was made and started.
    func awaitMonitor() throws {
        try send(["execute": .string("qmp_capabilities")])
        while try line(until: deadline)["return"] == nil {}
    }

    /// Waits for the agent's first answer.
    ///
    /// QEMU holds what is sent until the guest opens the port, so the answer comes as soon as the agent can give one, and
    /// nothing is polled. It is asked again from time to time, should the guest have thrown the question away.
    func awaitPing() throws {
        while true {
            do {
                _ = try ask("guest-ping", until: min(deadline, .now + .seconds(30)))
                return
            } catch is NoAnswer {
                guard ContinuousClock.now < deadline else { throw Failure("the raw guest's agent did not answer") }
            }
        }
    }

    /// What a command prints.
    func output(of program: String, _ arguments: [String]) throws -> String {
        let started = try ask(
            "guest-exec",
            [
                "path": .string(program), "arg": .array(arguments.map { .string($0) }), "capture-output": .bool(true),
            ],
            until: deadline
        )
        while ContinuousClock.now < deadline {
            let status = try ask("guest-exec-status", ["pid": started["pid"] ?? .null], until: deadline)
            if status["exited"] == .bool(true) {
                guard case .string(let text)? = status["out-data"], let data = Data(base64Encoded: text) else {
                    throw Failure("\(program) printed nothing in the raw guest")
                }
                return String(decoding: data, as: UTF8.self)
            }
            // The agent tells nobody when a program ends.
            poll(nil, 0, 20)
        }
        throw Failure("\(program) did not end in the raw guest")
    }

    private struct NoAnswer: Error {}

    /// Synchronises, so that answers to earlier questions are told apart, and asks.
    private func ask(
        _ command: String,
        _ arguments: [String: JSONValue] = [:],
        until end: ContinuousClock.Instant
    ) throws -> [String: JSONValue] {
        let mark = Int64.random(in: 1...1 << 40)
        try send(["execute": .string("guest-sync"), "arguments": .object(["id": .int(mark)])])
        try send(["execute": .string(command), "arguments": .object(arguments)])
        while try line(until: end)["return"] != .int(mark) {}
        let answer = try line(until: end)
        guard case .object(let value)? = answer["return"] else { throw Failure("the agent answered \(answer)") }
        return value
    }

    private func send(_ message: [String: JSONValue]) throws {
        let bytes = try JSONEncoder().encode(message) + [UInt8(ascii: "\n")]
        let sent = bytes.withUnsafeBytes {
            Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        guard sent == bytes.count else { throw Failure("QEMU takes nothing on the agent's socket") }
    }

    private func line(until end: ContinuousClock.Instant) throws -> [String: JSONValue] {
        try received.withLock { received in
            while true {
                if let newline = received.firstIndex(of: UInt8(ascii: "\n")) {
                    let line = Data(received[..<newline])
                    received.removeSubrange(...newline)
                    if !line.isEmpty { return try JSONDecoder().decode([String: JSONValue].self, from: line) }
                } else {
                    received += try bytes(until: end)
                }
            }
        }
    }

    private func bytes(until end: ContinuousClock.Instant) throws -> [UInt8] {
        while true {
            if isCancelled.load(ordering: .relaxed) { throw CancellationError() }
            let left = (end - .now) / .milliseconds(1)
            guard left > 0 else { throw NoAnswer() }
            var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            // In slices only for the sake of cancellation.
            guard poll(&wanted, 1, Int32(min(left, 200))) > 0 else { continue }
            var buffer = [UInt8](repeating: 0, count: 65_536)
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { throw Failure("the raw QEMU has ended; see what it said") }
            return Array(buffer.prefix(count))
        }
    }

    private static func connected(to path: String) -> Int32? {
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
}
