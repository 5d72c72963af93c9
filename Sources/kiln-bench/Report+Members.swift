extension Report {
    /// What servers with members and fronts take.
    var memberLines: [String] {
        rolloutLines + etcdLines + scalingLines + launchingLines + frontLines + holdingLines + autoscalingLines
            + flashLines
    }

    private var rolloutLines: [String] {
        guard let rollouts else { return [] }
        let count = rollouts.samples.values.map(\.count).max() ?? 0
        let title =
            "\(rollouts.members) members brought to another image under 50 requests a second, \(rollouts.image), "
            + "N = \(count), in turn"
        let ways = RolloutWay.allCases.flatMap { way in
            lines(way.rawValue, rollouts.samples[way] ?? [])
        }
        guard let failed = rollouts.totals(.rollout)?.failed else { return [title] + ways + [""] }
        return [title] + ways + [
            "  aim       requests that fail in a rollout <= 0: \(failed), \(met(failed == 0))", "",
        ]
    }

    private var etcdLines: [String] {
        guard let etcd else { return [] }
        let (acknowledged, lost) = (etcd.map(\.acknowledged).reduce(0, +), etcd.flatMap(\.lost).reduce(0, +))
        return [
            "an etcd cluster of \(Etcd.members) members brought to another image under 5 writes a second, "
                + "N = \(etcd.count)"
        ] + lines("rollout", etcd.map(\.rollout)) + [
            "  acknowledged \(acknowledged) records, which one member or another lacks \(lost) times",
            "  aim       acknowledged records that a member lacks <= 0: \(lost), \(met(lost == 0))", "",
        ]
    }

    private func lines(_ name: String, _ samples: [RolloutSample]) -> [String] {
        let flaws = samples.compactMap(\.seen.flaw).map { "                one left out, NOT VALID: \($0)" }
        guard let totals = RolloutTotals(samples) else { return flaws }
        let figures = [
            "failed \(totals.failed) of \(totals.requests)", "longest \(seconds(totals.longest))",
            "slowest \(seconds(totals.slowest))", "whole \(seconds(totals.wall))",
        ]
        let label = "  \(name)" + String(repeating: " ", count: max(1, 14 - name.count))
        return [label + figures.joined(separator: "   ")] + flaws
    }

    private var scalingLines: [String] {
        guard let scaling else { return [] }
        return [
            "\(scaling.members) more members at once, N = \(scaling.clones.count), in turn",
            "  clones of 500 MiB  \(seconds(scaling.clones))",
            "  empty volumes      \(seconds(scaling.empty))",
            "  the clones took \(number(scaling.grown.median, 1)) MiB of the disk "
                + "(\(number(scaling.grown.least, 1))-\(number(scaling.grown.greatest, 1)))",
            "  aim       clones / empty <= \(number(Scaling.largestRatio, 1)): "
                + "\(number(scaling.ratio, 2)), \(met(scaling.ratio <= Scaling.largestRatio))",
            "",
        ]
    }

    private var launchingLines: [String] {
        guard let launching else { return [] }
        return [
            "kiln up of \(launching.members) members, N = \(launching.inTurn.count), in turn",
            "  -j 1               \(seconds(launching.inTurn))",
            "  -j \(launching.members)               \(seconds(launching.atOnce))",
            "  aim       -j \(launching.members) / -j 1 <= \(number(Launching.largestRatio, 1)): "
                + "\(number(launching.ratio, 2)), \(met(launching.ratio <= Launching.largestRatio))",
            "",
        ]
    }

    private var frontLines: [String] {
        guard let front else { return [] }
        func figures(_ summary: Summary) -> String {
            "\(number(summary.median, 2)) ms (\(number(summary.least, 2))-\(number(summary.greatest, 2)))"
        }
        return [
            "an answer at 50 requests a second, N = \(front.front.count) + \(front.plain.count) windows of 10 s, "
                + "in turn",
            "  behind a front     \(figures(front.front))",
            "  without            \(figures(front.plain))",
        ] + (front.leftOut > 0 ? ["  left out, NOT VALID: \(front.leftOut) windows"] : []) + [
            "  aim       difference <= \(number(FrontCost.greatestDifference, 0)) ms: "
                + "\(number(front.difference, 2)) ms, \(met(front.difference <= FrontCost.greatestDifference))",
            "",
        ]
    }

    private var autoscalingLines: [String] {
        guard let autoscaling else { return [] }
        let runs = autoscaling.map { run in
            "  two serve after \(number(run.outAfter, 1)) s, one after \(number(run.inAfter, 1)) s, two again after "
                + "\(number(run.againAfter, 1)) s; failed \(run.failed) of \(run.requests)"
                + (run.isDataBack ? "" : "; THE DATA OF BEFORE IS NOT THERE") + (run.isValid ? "" : "; NOT VALID")
        }
        let failed = autoscaling.map(\.failed).reduce(0, +)
        let longest = autoscaling.map(\.longest).max() ?? 0
        return ["a load that doubles, halves and doubles again, N = \(autoscaling.count)"] + runs + [
            "  aim       requests that fail <= 0: \(failed), \(met(failed == 0))",
            "  aim       members follow within the cooldown, \(Autoscaling.cooldown) s: \(number(longest, 1)) s, "
                + met(longest <= Double(Autoscaling.cooldown)),
            "",
        ]
    }
}
