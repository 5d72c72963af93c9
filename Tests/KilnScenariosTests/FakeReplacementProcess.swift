import KilnEngine
import KilnFaults
import KilnModel
import KilnSystem
import KilnTestSupport

@testable import KilnScenarios

/// A replacement in a process that is none: it works on the same fakes, and its death is one of those that they know.
final class FakeReplacementProcess: ReplacementProcess {
    static let pid: Int32 = 4_242
    private let faults: FaultWorld
    private let early: Early?

    /// What somebody else does to it before it has begun.
    enum Early: Sendable {
        case killed
        /// It is stopped, and then ends by itself.
        case stopped
    }

    init(_ faults: FaultWorld, _ early: Early? = nil) {
        self.faults = faults
        self.early = early
    }

    func replace(
        _ server: MemberID,
        _ options: ReplaceOptions,
        stops: [String],
        progress: @escaping ProgressSink,
        standing: @escaping @Sendable (Int32) async throws -> Void
    ) async throws -> ReplacementProcessEnd {
        switch early {
        case .killed: return .killed
        case .stopped:
            try await standing(Self.pid)
            return .ended(refusal: nil)
        case nil: break
        }
        let (world, host) = (faults.world, faults.host)
        host.adopt(Self.pid)
        let moments = Stops(points: Set(stops)) {
            try await standing(Self.pid)
            if host.state(of: Self.pid) == .gone { world.faults.die() }
        }
        let engine = LabEngine(state: world.state, parts: world.parts(progress)).telling(moments)
        do {
            _ = try await engine.replace(server, options)
        } catch {
            guard world.faults.isCrashed else { return .ended(refusal: error as? KilnError) }
        }
        guard world.faults.isCrashed else { return .ended(refusal: nil) }
        world.faults.disarm()
        try world.reviveAfterCrash()
        return .killed
    }

    private struct Stops: StepMoments {
        let points: Set<String>
        let standing: @Sendable () async throws -> Void

        func reached(_ step: KilnModel.Step, _ moment: StepMoment, of machine: MachineID) async throws {
            if points.contains("\(step.rawValue).\(moment.rawValue)") { try await standing() }
        }
    }
}
