import Foundation
import Synchronization

/// Looks again and again how many machines have the volume open for writing.
final class WriterWatch: Sendable {
    private let state = Mutex((isOver: false, most: 0, times: 0))

    /// Starts to look.
    init(_ home: LaneHome) {
        Thread.detachNewThread { [weak self] in
            while let self, !self.state.withLock({ $0.isOver }) {
                let writers = home.writers.count
                self.state.withLock { state in
                    state.most = max(state.most, writers)
                    if writers > 1 { state.times += 1 }
                }
                pause(.milliseconds(150))
            }
        }
    }

    /// Stops to look; returns how often there was more than one.
    func end() -> Int {
        state.withLock { state in
            state.isOver = true
            return state.times
        }
    }
}
