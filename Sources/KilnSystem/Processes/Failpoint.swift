import Foundation
import KilnModel

/// A place where a test can make Kiln die, stop or fail: before and after every step of a replacement and of a bake, in a live
/// snapshot, and wherever an image becomes visible.
///
/// The environment variable `KILN_FAILPOINT` names one, such as `handover.before=kill`, or several with commas between
/// them: to reach a step of the way back, another one has to fail first. Actions are `kill` (SIGKILL to itself), `stop`
/// (SIGSTOP) and `fail` (an error). It is compiled in always, so that what is tested is what is shipped.
public struct Failpoint: Sendable {
    private let actions: [Substring: Substring]

    /// The failpoints that the environment names, if any.
    public init?(environment: [String: String] = ProcessInfo.processInfo.environment) {
        let points = (environment["KILN_FAILPOINT"] ?? "").split(separator: ",").map {
            $0.split(separator: "=", maxSplits: 1)
        }
        guard !points.isEmpty, points.allSatisfy({ $0.count == 2 }) else { return nil }
        actions = Dictionary(points.map { ($0[0], $0[1]) }, uniquingKeysWith: { first, _ in first })
    }

    /// Acts if this is such a place.
    ///
    /// - Throws: `KilnError` with code `failpoint.hit`.
    public func hit(_ name: String) throws {
        switch actions[name[...]] {
        case nil: return
        case "kill": kill(getpid(), SIGKILL)
        // To this thread: another one could take it a moment later, while this one goes on.
        case "stop": raise(SIGSTOP)
        default: throw KilnError(.failpointHit, "the failpoint \(name) was hit", exit: .aborted)
        }
    }
}
