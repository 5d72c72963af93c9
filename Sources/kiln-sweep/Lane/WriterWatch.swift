import Foundation
import KilnOutside
import Synchronization

/// Looks some six times a second how many machines have each volume open for writing; what is shorter may be missed.
final class WriterWatch: Sendable {
    private let state: Mutex<(isOver: Bool, most: [Int], twice: Int)>

    /// Starts to look at the volumes of these members of a home's server.
    init(_ members: [LaneMember], of home: LaneHome) {
        let volumes = members.map(\.volume)
        state = Mutex((isOver: false, most: volumes.map { _ in 0 }, twice: 0))
        Thread.detachNewThread { [weak self] in
            while let self, !self.state.withLock({ $0.isOver }) {
                let writers = home.writers(of: volumes)
                self.state.withLock { state in
                    state.most = zip(state.most, writers).map { max($0, $1) }
                    if writers.contains(where: { $0 > 1 }) { state.twice += 1 }
                }
                pause(.milliseconds(150))
            }
        }
    }

    /// Stops to look; returns whether each volume was seen open, and how often one was by more than one machine.
    func end() -> (all: Bool, twice: Int) {
        state.withLock { state in
            state.isOver = true
            return (state.most.allSatisfy { $0 > 0 }, state.twice)
        }
    }
}

/// What was seen while a cell went on.
struct CellSight {
    let seconds: Double
    /// How often a volume had more than one writer.
    let twice: Int
    /// What went wrong, in sentences.
    let problems: [String]
}

extension WriterWatch {
    /// Looks on while a cell goes on; what that throws is a finding.
    static func looking(at members: [LaneMember], of home: LaneHome, while body: () throws -> Void) -> CellSight {
        let start = ContinuousClock.now
        let watch = WriterWatch(members, of: home)
        var problems: [String] = []
        do { try body() } catch { problems.append("\(error)") }
        let seen = watch.end()
        if !seen.all { problems.append("a volume was never seen to be open for writing") }
        return CellSight(
            seconds: (ContinuousClock.now - start) / .seconds(1),
            twice: seen.twice,
            problems: problems
        )
    }
}

extension CellResult {
    /// Takes over what was seen.
    mutating func take(_ seen: CellSight) {
        bothServing += seen.twice
        broken += seen.problems
        seconds = seen.seconds
    }
}
