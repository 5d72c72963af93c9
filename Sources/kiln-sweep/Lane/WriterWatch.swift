import Foundation
import KilnOutside
import Synchronization

/// Looks some six times a second how many machines have the volume open for writing; what is shorter may be missed.
final class WriterWatch: Sendable {
    private let state = Mutex((isOver: false, most: 0, twice: 0))

    /// Starts to look.
    init(_ home: LaneHome) {
        Thread.detachNewThread { [weak self] in
            while let self, !self.state.withLock({ $0.isOver }) {
                let writers = home.writers.count
                self.state.withLock { state in
                    state.most = max(state.most, writers)
                    if writers > 1 { state.twice += 1 }
                }
                pause(.milliseconds(150))
            }
        }
    }

    /// Stops to look; returns the most that were seen at once, and how often there was more than one.
    func end() -> (most: Int, twice: Int) {
        state.withLock { state in
            state.isOver = true
            return (state.most, state.twice)
        }
    }
}
