import Foundation
import Glibc
import KilnModel
import KilnSystem

/// Ends a blocking wait on descriptors from another thread; used to make poll(2) heed cancellation.
final class Wakeup: Sendable {
    @TaskLocal private static var current: Wakeup?

    /// Whether the work that ``run(_:)`` does on this thread is to end.
    static var isWoken: Bool { current.map { Descriptor.isReady($0.readEnd, for: .reading) } ?? false }

    private let readEnd: Int32
    private let writeEnd: Int32

    init() throws {
        (readEnd, writeEnd) = try Wakeup.pipe()
    }

    deinit {
        close(readEnd)
        close(writeEnd)
    }

    /// Both ends of a pipe that no program started from here inherits.
    static func pipe() throws -> (readEnd: Int32, writeEnd: Int32) {
        var ends: [Int32] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else {
            throw KilnError(.hostNoPipe, "no pipe can be made", cause: String(cString: strerror(errno)))
        }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    /// Ends every wait, now and later.
    func wake() {
        var byte: UInt8 = 0
        _ = write(writeEnd, &byte, 1)
    }

    /// Waits until one of the descriptors can be read or is closed; nothing once woken, or once nobody reads `output` any more.
    func readable(_ descriptors: [Int32], while output: Int32? = nil) -> [Int32]? {
        var polled = (descriptors + [readEnd]).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        // Asked for nothing, poll tells only of errors: of a pipe, that nobody has its other end. A negative one it skips.
        polled.append(pollfd(fd: output ?? -1, events: 0, revents: 0))
        while poll(&polled, nfds_t(polled.count), -1) < 0 {
            guard errno == EINTR else { return nil }
        }
        if polled.suffix(2).contains(where: { $0.revents != 0 }) { return nil }
        return polled.dropLast(2).filter { $0.revents != 0 }.map(\.fd)
    }
}

extension Wakeup {
    /// Runs blocking work on a thread of its own; a cancelled task wakes it.
    static func run<Value: Sendable>(_ work: @escaping @Sendable (Wakeup) throws -> Value) async throws -> Value {
        let wakeup = try Wakeup()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                Thread.detachNewThread {
                    continuation.resume(with: Result { try $current.withValue(wakeup) { try work(wakeup) } })
                }
            }
        } onCancel: {
            wakeup.wake()
        }
    }
}
