import KilnDocuments
import KilnModel

extension ServerEdits {
    /// Reads how many members the server may have, and by what that is decided.
    mutating func readAutoscale(_ fields: Fields<ServerFields>) {
        set(\.autoscale, fields[.autoscale]?.autoscale())
    }
}

extension Value {
    fileprivate func autoscale() -> AutoscaleSpec? {
        let expected = "a map, such as '{ min: 1, max: 4, target: { requests: 20 } }'"
        guard let fields = Fields<AutoscaleFields>(self, expected) else { return nil }
        let least = fields[.min].map { $0.whole(in: 1...MemberID.most) } ?? 1
        let most = fields[.max]?.whole(in: 1...MemberID.most)
        let target = fields[.target]?.target()
        let cooldown = fields[.cooldown].map { $0.duration() } ?? AutoscaleSpec.usualCooldown
        guard let least, let most, let target, let cooldown else { return nil }
        if least > most { fields[.min]?.problem("more than max, which is \(most)") }
        if least == most {
            fields[.max]?.problem("the same as min: then 'replicas: \(most)' says it all; leave autoscale out")
        }
        return AutoscaleSpec(min: least, max: most, target: target, cooldown: cooldown)
    }

    private func target() -> AutoscaleSpec.Target? {
        let expected = "either 'requests' or 'queue', such as '{ requests: 20 }'"
        guard let fields = Fields<TargetFields>(self, expected) else { return nil }
        let requests = fields[.requests].map { $0.whole(in: TargetFields.limits) }
        let queue = fields[.queue].map { $0.whole(in: TargetFields.limits) }
        switch (requests, queue) {
        case (let number?, nil): return number.map { .requests($0) }
        case (nil, let number?): return number.map { .queue($0) }
        case (nil, nil): mismatch(expected)
        case (_?, _?): problem("expected \(expected), found both")
        }
        return nil
    }

    /// Refuses what no number of members could follow.
    func judgeAutoscale(_ spec: ServerSpec) {
        guard let autoscale = spec.autoscale, let fleet = spec.fleet, autoscale.min < autoscale.max else { return }
        if autoscale.allowed(fleet.replicas) != fleet.replicas {
            problem("allows \(autoscale.min) to \(autoscale.max) members, and 'replicas' is \(fleet.replicas)")
        }
        judgePorts(spec, autoscale)
        judgeRollout(fleet, autoscale)
    }

    private func judgePorts(_ spec: ServerSpec, _ autoscale: AutoscaleSpec) {
        var behindFront = spec
        behindFront.hold = spec.hold ?? ServerSpec.usualHold
        if behindFront.heldPorts.isEmpty {
            problem("the server publishes no TCP port by which its members are given work; add one to 'ports'")
        } else if case .queue = autoscale.target, spec.connections == nil, !behindFront.heldPorts.values.contains(true)
        {
            problem(
                "requests wait only where a member takes so many at once: no check shows that a port speaks HTTP, so write how many "
                    + "as 'connections', or take 'requests' as the target"
            )
        }
        // With several replicas that is refused already.
        if spec.replicas == 1, let port = spec.ports.first(where: { $0.value.transport == .udp })?.key {
            problem(
                "the port '\(port)' is for datagrams, which one machine gets; publish it from a server without autoscale"
            )
        }
    }

    // What holds for all members there are now has to hold for the fewest, too.
    private func judgeRollout(_ fleet: FleetSpec, _ autoscale: AutoscaleSpec) {
        guard fleet.rollout.problems(replicas: fleet.replicas).isEmpty else { return }
        for problem in fleet.rollout.problems(replicas: autoscale.min) {
            self.problem("rollout.\(problem.field), with no more members than min: \(problem.message)")
        }
    }
}
