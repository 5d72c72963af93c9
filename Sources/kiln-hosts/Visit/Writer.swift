import Foundation
import KilnOutside
import Synchronization

/// Writes numbers to a server's volume, one after the other, as somebody who knows nothing of its replacements.
///
/// A number counts as acknowledged where the guest has synced it. The file lies in a directory that only the volume has, so
/// that nothing is written while it isn't mounted.
final class Writer: Sendable {
    private let state = Mutex((isOver: false, acknowledged: [Int]()))
    private let ended = DispatchGroup()

    /// Begins to write.
    init(_ lab: Lab) throws {
        try lab.shell("mkdir -p /data/kept; sync")
        let (account, name, options) = (lab.account, lab.name, lab.options)
        ended.enter()
        Thread.detachNewThread { [self] in
            let lab = Lab(account: account, name: name, options: options)
            var number = 0
            while !state.withLock({ $0.isOver }) {
                number += 1
                let wrote = lab.attempt("echo \(number) >>/data/kept/numbers && sync /data/kept/numbers")
                if wrote { state.withLock { $0.acknowledged.append(number) } } else { pause(.milliseconds(200)) }
            }
            ended.leave()
        }
    }

    /// Waits until so many numbers more are acknowledged.
    func await(_ count: Int) throws {
        let before = state.withLock { $0.acknowledged.count }
        try awaitThat("\(count) acknowledged writes", within: .seconds(60)) {
            state.withLock { $0.acknowledged.count } >= before + count
        }
    }

    /// Stops to write, also a second time; returns what was acknowledged.
    @discardableResult
    func end() -> [Int] {
        state.withLock { $0.isOver = true }
        ended.wait()
        return state.withLock { $0.acknowledged }
    }

    /// That each acknowledged number is on the volume once.
    static func insist(on acknowledged: [Int], in text: String) throws {
        let found = Dictionary(text.split(separator: "\n").map { ($0, 1) }, uniquingKeysWith: +)
        let lost = acknowledged.filter { found["\($0)"] == nil }
        let doubled = acknowledged.filter { (found["\($0)"] ?? 0) > 1 }
        guard lost.isEmpty && doubled.isEmpty else {
            throw Failure("of \(acknowledged.count) acknowledged writes \(lost) are lost, \(doubled) are there twice")
        }
    }
}
