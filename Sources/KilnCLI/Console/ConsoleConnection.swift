import Foundation
import Glibc
import KilnModel
import KilnSystem

/// The serial console of a running machine, through its unix socket.
struct ConsoleConnection {
    /// Ctrl-], which leaves the console, as in telnet and virsh.
    static let escape: UInt8 = 0x1d

    private let descriptor: Int32

    /// Connects; call ``close()`` afterwards.
    ///
    /// - Throws: `KilnError` with code `console.unreachable`.
    init(path: String) throws {
        do {
            descriptor = try UnixSocket.connect(to: path)
        } catch {
            throw ConsoleConnection.unreachable(path, String(cString: strerror(error.code.rawValue)))
        }
    }

    /// Ends the connection; the machine runs on.
    func close() { Glibc.close(descriptor) }

    /// Passes bytes both ways until the guest's side closes, the user leaves, or the wait is woken.
    ///
    /// - Parameters:
    ///   - input: the descriptor that is read for the guest, or nothing to only listen.
    ///   - output: where `take` writes; it also returns when nobody reads that any more.
    func pass(
        input: Int32?,
        wakeup: Wakeup,
        for output: ByteSink? = nil,
        take: (ArraySlice<UInt8>) -> Void
    ) {
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while let ready = wakeup.readable([descriptor] + (input.map { [$0] } ?? []), while: output?.descriptor) {
            if ready.contains(descriptor) {
                let count = read(descriptor, &buffer, buffer.count)
                if count <= 0 { return }
                take(buffer[..<count])
                guard output?.state() ?? .open == .open else { return }
            }
            if let input, ready.contains(input) {
                let count = read(input, &buffer, buffer.count)
                if count <= 0 { return }
                let typed = buffer[..<count].prefix { $0 != ConsoleConnection.escape }
                guard send(typed), typed.count == count else { return }
            }
        }
    }

    private func send(_ bytes: ArraySlice<UInt8>) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    private static func unreachable(_ path: String, _ cause: String) -> KilnError {
        KilnError(
            .consoleUnreachable,
            "the console at \(path) can't be reached",
            hint: "is the machine running? see 'kiln ps'; what it wrote before: 'kiln logs'",
            cause: cause,
            exit: .usage
        )
    }
}
