import Foundation
import KilnOutside
import Synchronization

/// A user of the published port: asks one request after the other, some ten a second.
final class PublishedClient: Sendable {
    /// What became of the requests.
    struct Findings {
        var requests = 0
        /// Those that were refused, cut off, or answered by an error.
        var failed = 0
        /// Those that were not answered in time.
        var late = 0
    }

    private let state = Mutex((isOver: false, findings: Findings()))

    /// Starts to ask.
    init(port: UInt16) {
        Thread.detachNewThread { [weak self] in
            while let self, !self.state.withLock({ $0.isOver }) {
                let answer = Answer.asking(port)
                self.state.withLock { state in
                    state.findings.requests += 1
                    switch answer {
                    case .whole: break
                    case .broken: state.findings.failed += 1
                    case .late: state.findings.late += 1
                    }
                }
                pause(.milliseconds(100))
            }
        }
    }

    /// Stops to ask.
    func end() -> Findings {
        state.withLock { state in
            state.isOver = true
            return state.findings
        }
    }
}
