import Foundation
import KilnModel

extension AutopilotView {
    /// What is true of a server whose number of members follows its load.
    func load(
        _ server: ServerID,
        _ spec: ServerSpec,
        _ limits: AutoscaleSpec,
        _ members: [MemberID: AutopilotObservation.Member?],
        isHealing: Bool
    ) async -> AutoscaleObservation.Server {
        let told = (try? await engine.parts.fronts.load(of: server)) ?? nil
        let age = told.map { ContinuousClock.now - $0.time } ?? .zero
        let time = AutopilotClock.now - age
        var seen = AutoscaleObservation.Server(limits, replicas: spec.replicas, load: told?.load, at: time)
        seen.isHealing = isHealing
        seen.hasRollout = members.values.contains { $0?.hasRollout == true }
        // Also one that comes, or is not declared any more and goes.
        seen.isLocked = !isHealing && engine.members(of: server).contains { engine.workspace($0).isLocked }
        seen.isUnfinished = engine.isUnfinished(server, spec)
        let plan = (try? ServerFront(id: server, state: engine.state, parts: engine.parts).plan()) ?? nil
        seen.serving = members.count { id, member in member.map { isServing(id, $0, plan) } ?? false }
        let same = spec.fleet.flatMap { try? engine.sameSpec(of: server, $0) }
        seen.isMixed = same == nil
        seen.room = engine.room(for: same ?? spec)
        seen.memory = engine.memory(of: same ?? spec)
        return seen
    }

    private func isServing(_ id: MemberID, _ member: AutopilotObservation.Member, _ plan: FrontPlan?) -> Bool {
        guard member.standing == .ready, member.isWantedOn, !member.isHalted, !member.isOpen else { return false }
        return plan?[id.ordinal].standing == .serving && plan?[id.ordinal].generation == member.generation
    }
}

extension LabEngine {
    /// Whether a declared member of a server was never launched, or one is there that is not declared any more.
    func isUnfinished(_ server: ServerID, _ spec: ServerSpec) -> Bool {
        launched(server) < spec.replicas || members(of: server).contains { $0.ordinal >= spec.replicas }
    }

    /// How many members of a server, from the first on, were launched.
    func launched(_ server: ServerID) -> Int {
        let there = members(of: server).prefix { (try? workspace($0).history().current) != nil }
        return there.enumerated().prefix { $0.offset == $0.element.ordinal }.count
    }
}
