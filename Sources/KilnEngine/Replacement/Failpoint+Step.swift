import KilnModel
import KilnSystem

extension Failpoint {
    /// Acts if this is such a place.
    func hit(_ step: Step, _ moment: String) throws { try hit("\(step.rawValue).\(moment)") }
}
