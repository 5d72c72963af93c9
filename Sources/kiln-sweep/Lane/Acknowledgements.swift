import Foundation
import Glibc
import KilnOutside
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
    private let own: (@Sendable () -> Set<String>)?

    /// Starts to follow the sockets `*.ledger` that are or will be in `directory`.
    ///
    /// - Parameters:
    ///   - mark: asked for at each arrival; what it returns is kept beside the acknowledgement.
    ///   - own: the names of those that are followed, where there are others beside them; all are without it.
    init(
        directory: String,
        mark: @escaping @Sendable () -> UInt64 = { 0 },
        own: (@Sendable () -> Set<String>)? = nil
    ) {
        (arrived, self.own) = (mark, own)
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
        let own = own?()
        for name in names where name.hasSuffix(".ledger") && own?.contains(name) != false {
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
