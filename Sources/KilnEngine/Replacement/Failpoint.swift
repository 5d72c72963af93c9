import Foundation
import KilnModel

/// A place where a test can make Kiln die, stop or fail: before and after every step, and in a live snapshot.
///
/// The environment variable `KILN_FAILPOINT` names one, such as `handover.before=kill`. Actions are `kill` (SIGKILL to
/// itself), `stop` (SIGSTOP) and `fail` (an error). It is compiled in always, so that what is tested is what is shipped.
struct Failpoint {
    private let name: String
    private let action: String

    /// The failpoint that the environment names, if any.
    init?(environment: [String: String] = ProcessInfo.processInfo.environment) {
        let parts = (environment["KILN_FAILPOINT"] ?? "").split(separator: "=", maxSplits: 1)
        guard parts.count == 2 else { return nil }
        name = String(parts[0])
        action = String(parts[1])
    }

    /// Acts if this is the place.
    func hit(_ step: Step, _ moment: String) throws { try hit("\(step.rawValue).\(moment)") }

    /// Acts if this is the place.
    func hit(_ place: String) throws {
        guard name == place else { return }
        switch action {
        case "kill": kill(getpid(), SIGKILL)
        case "stop": kill(getpid(), SIGSTOP)
        default: throw KilnError("failpoint.hit", "the failpoint \(name) was hit", exit: .aborted)
        }
    }
}
