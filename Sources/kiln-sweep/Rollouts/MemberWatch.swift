import Foundation
import KilnOutside
import Synchronization

/// Looks some four times a second how many members are out, and asks each for answers by its own port.
///
/// A member is out where the front does not send it requests, as kiln wrote that down, where the machine that should get
/// them has no QEMU, or where that breaks a connection off. One that is slow is not out: on a busy host it is only that.
final class MemberWatch: Sendable {
    /// What was seen.
    struct Findings {
        /// How often it was looked at all members.
        var looks = 0
        /// At how many of these looks more were out than may be, and what the first of them saw.
        var tooMany = 0
        var first: String?
        /// Answers of members that serve, and those that did not come in time.
        var answers = 0
        var late = 0
    }

    private struct State {
        var isOver = false
        var findings = Findings()
        var killed: [Int: Int] = [:]
        var silent: [Int: FrontFile.Slot] = [:]
    }

    private let state = Mutex(State())
    private let home: LaneHome

    /// Starts to look.
    init(_ home: LaneHome) {
        self.home = home
        repeatedly(every: .milliseconds(250)) { $0.look() }
        for ordinal in 0..<LaneFleet.replicas { repeatedly(every: .milliseconds(500)) { $0.ask(ordinal) } }
    }

    /// Says that the cell kills a generation of a member itself: until another one has its place, it counts as nothing.
    func forgive(_ ordinal: Int, _ generation: Int) { state.withLock { $0.killed[ordinal] = generation } }

    /// Stops to look.
    func end() -> Findings {
        state.withLock { state in
            state.isOver = true
            return state.findings
        }
    }

    private func repeatedly(every time: Duration, _ body: @escaping @Sendable (MemberWatch) -> Void) {
        Thread.detachNewThread { [weak self] in
            while let self, !self.state.withLock({ $0.isOver }) {
                body(self)
                pause(time)
            }
        }
    }

    private func look() {
        guard let front = try? FrontFile(of: home) else { return }
        let running = Set(home.machines.compactMap { Embodiment($0) })
        // Where the front has changed meanwhile nobody can tell what was so at the same time.
        guard (try? FrontFile(of: home)) == front else { return }
        state.withLock { state in
            guard !state.isOver else { return }
            let out = (0..<LaneFleet.replicas).compactMap { ordinal in
                MemberWatch.reason(front[ordinal], ordinal, running, state).map { "member \(ordinal) \($0)" }
            }
            state.findings.looks += 1
            guard out.count > LaneFleet.mostOut else { return }
            state.findings.tooMany += 1
            if state.findings.first == nil { state.findings.first = out.joined(separator: ", ") }
        }
    }

    /// Why a member is out; nothing where it isn't, or that is the cell's own doing.
    private static func reason(
        _ slot: FrontFile.Slot?,
        _ ordinal: Int,
        _ running: Set<Embodiment>,
        _ state: State
    ) -> String? {
        guard let slot, let generation = slot.generation else { return "has no place in the front" }
        if state.killed[ordinal] == generation { return nil }
        if !slot.isServing { return "is \(slot.standing)" }
        if !running.contains(Embodiment(ordinal: ordinal, generation: generation)) { return "has no machine" }
        return state.silent[ordinal] == slot ? "does not answer" : nil
    }

    private func ask(_ ordinal: Int) {
        guard let slot = (try? FrontFile(of: home))?[ordinal], slot.isServing, let port = slot.ports["http"] else {
            return
        }
        let answer = Answer.asking(port)
        // A machine that was taken out meanwhile owes no answer.
        guard (try? FrontFile(of: home))?[ordinal] == slot else { return }
        state.withLock { state in
            guard !state.isOver else { return }
            switch answer {
            case .whole:
                state.findings.answers += 1
                state.silent[ordinal] = nil
            case .broken: state.silent[ordinal] = slot
            case .late: state.findings.late += 1
            }
        }
    }
}
