import KilnModel

extension RolloutRun {
    /// What has to hold before a member is replaced by one of the target.
    static func checkOrder(_ ordinal: Int, after events: [RolloutEvent], in world: RolloutWorld) throws {
        let plan = world.plan
        let isPromoted = events.contains { if case .promoted = $0 { true } else { false } }
        let isSettled = { (other: Int) in world.soaked.contains(other) || world.passed.contains(other) }
        let isOneByOne = plan.spec.maxUnavailable + plan.spec.maxSurge == 1
        if isOneByOne {
            let early = plan.ordinals.filter { $0 != ordinal && world.isNew($0) && !isSettled($0) }
            try world.check(.soak, early.isEmpty, "\(ordinal) is replaced, and \(early) were not looked at long enough")
        }
        let isFull = events.contains { if case .promoted(true, _) = $0 { true } else { false } }
        if isOneByOne && plan.spec.judge != nil && !isFull && !plan.canaries.contains(ordinal) {
            let unjudged = plan.ordinals.filter { world.isNew($0) && !world.approved.contains($0) }
            try world.check(.judge, unjudged.isEmpty, "\(ordinal) is replaced before \(unjudged) were judged")
        }
        guard !plan.canaries.contains(ordinal) else { return }
        if plan.spec.pause == .untilPromoted && plan.canaries.contains(where: world.isNew) {
            try world.check(.order, isPromoted, "\(ordinal) is replaced before anybody promoted the canaries")
        }
        let waiting = plan.canaries.filter { !world.isNew($0) && !world.passed.contains($0) }
        try world.check(.order, waiting.isEmpty, "\(ordinal) is replaced before the canaries \(waiting)")
    }
}
