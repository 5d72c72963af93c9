import KilnModel
import KilnSystem

/// When in a step it is.
public enum StepMoment: String, Sendable, Hashable, Codable, CaseIterable {
    /// Before its intent is written.
    case before
    /// It is done, and that is not written yet.
    case after
}

/// Is told of both moments of every step, and waited for: what it does happens at that moment and at no other.
public protocol StepMoments: Sendable {
    /// The operation that leads to `machine` is at a moment of a step.
    ///
    /// What it throws is taken as a failure of the step.
    func reached(_ step: Step, _ moment: StepMoment, of machine: MachineID) async throws
}

/// The moments at which the environment lets Kiln die, stop or fail: see ``Failpoint``.
public struct FailpointMoments: StepMoments {
    private let failpoint = Failpoint()

    /// Those of this process's environment.
    public init() {}

    /// Acts if the environment names this moment.
    public func reached(_ step: Step, _ moment: StepMoment, of machine: MachineID) async throws {
        try failpoint?.hit("\(step.rawValue).\(moment.rawValue)")
    }
}
