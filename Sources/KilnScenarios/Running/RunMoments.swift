import KilnEngine
import KilnModel
import Synchronization

/// What is to happen at moments of the replacements of a run.
final class RunMoments: StepMoments {
    /// Something for one moment.
    struct Plan: Sendable {
        /// The step of the run that it belongs to.
        let owner: StepID
        let servers: Set<MemberID>
        let point: MomentPoint
        /// Whether it ends the kiln that does the step.
        var killsKiln = false
        /// Is waited for; whether it is done once is its own affair.
        let act: @Sendable () async -> Void
    }

    private let plans = Mutex<[Plan]>([])
    private let others: any StepMoments

    /// Nothing yet; `others` are told of all moments, too.
    init(besides others: any StepMoments) { self.others = others }

    func add(_ plan: Plan) { plans.withLock { $0.append(plan) } }

    /// The moments at which something happens in a step.
    func points(of owner: StepID) -> Set<MomentPoint> {
        Set(plans.withLock { $0 }.filter { $0.owner == owner }.map(\.point))
    }

    /// Whether the kiln that does a step is to be killed.
    func killsKiln(in owner: StepID) -> Bool { plans.withLock { $0 }.contains { $0.owner == owner && $0.killsKiln } }

    /// Forgets what belongs to a step.
    func removePlans(of owner: StepID) { plans.withLock { $0.removeAll { $0.owner == owner } } }

    func reached(_ step: KilnModel.Step, _ moment: StepMoment, of machine: MachineID) async throws {
        let point = MomentPoint(step, moment)
        // In the order of the file; each sees what those before it did.
        for plan in plans.withLock({ $0 }) where plan.point == point && plan.servers.contains(machine.member) {
            await plan.act()
        }
        try await others.reached(step, moment, of: machine)
    }
}
