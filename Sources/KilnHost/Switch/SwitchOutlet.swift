import Foundation
import Glibc
import KilnModel
import KilnSystem

/// The switch's end of a port: a socket, and the frames that its machine has not taken yet.
final class SwitchOutlet {
    let descriptor: Int32
    private let card: UnixAddress
    private var waiting: [[UInt8]] = []
    private var lastTaken = ContinuousClock.now

    /// How many frames wait for a machine; QEMU takes some dozens in a millisecond.
    private static let mostWaiting = 256

    /// Binds the port's socket, in place of that of a switch before this one.
    init(_ port: SwitchPort) throws(POSIXError) {
        card = try UnixAddress(port.card)
        descriptor = try UnixSocket.bound(to: port.socket, .datagrams)
    }

    deinit { close(descriptor) }

    /// Whether frames wait.
    var isBehind: Bool { !waiting.isEmpty }

    /// Whether its machine has taken nothing for so long that it may stand still, as one that a full disk paused.
    var isStuck: Bool { ContinuousClock.now - lastTaken > .milliseconds(200) }

    /// Reads the next frame into `buffer`; nothing where there is none.
    ///
    /// - Returns: how long it is, and whether it comes from the port's machine.
    func receive(_ buffer: UnsafeMutableRawBufferPointer) -> (count: Int, isMachines: Bool)? {
        var source = sockaddr_un()
        var length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let count = withUnsafeMutablePointer(to: &source) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                recvfrom(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT), $0, &length)
            }
        }
        return count < 0 ? nil : (count, card.isSource(source, length: length))
    }

    /// Sends a frame to the machine, after those that wait.
    func send(_ frame: UnsafeRawBufferPointer, of port: SwitchFabric.Port) {
        if !isBehind, trySend(frame, of: port) { return }
        guard waiting.count < Self.mostWaiting else { return port.drop(.full) }
        waiting.append(Array(frame))
    }

    /// Sends what waits, as far as the machine takes it.
    ///
    /// The kernel does not tell when the queue of another socket has room again, so it is tried.
    func sendWaiting(of port: SwitchFabric.Port) {
        let sent = waiting.prefix { frame in frame.withUnsafeBytes { trySend($0, of: port) } }
        waiting.removeFirst(sent.count)
    }

    // False where the machine's queue is full.
    private func trySend(_ frame: UnsafeRawBufferPointer, of port: SwitchFabric.Port) -> Bool {
        let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
        let count = card.with { sendto(descriptor, frame.baseAddress, frame.count, flags, $0, $1) }
        if count >= 0 {
            port.sent += 1
            lastTaken = .now
        } else if errno == EAGAIN || errno == ENOBUFS || errno == EINTR {
            return false
        } else {
            port.drop(.unreachable)
        }
        return true
    }
}
