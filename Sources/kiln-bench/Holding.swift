/// A server whose front lets requests wait while its machine is replaced.
struct Holding: Sendable, Codable {
    /// One replacement, and what a client saw of it.
    struct Sample: Sendable, Codable {
        let seen: RolloutSample
        /// For how long the front had nobody to send requests to, in seconds, by the journal.
        let closed: Double

        /// The longest time between two answers, in times of that.
        var longestRatio: Double { seen.seen.during.longest / closed }
        /// The slowest answer, in times of that.
        var slowestRatio: Double { (seen.seen.during.answers?.greatest ?? 0) / closed }
    }

    static let greatestLongest = 1.1
    static let greatestSlowest = 1.5
    /// The steps in which nobody serves.
    static let closing = ["drain", "stop", "prove-off", "snapshot", "handover", "start", "attach", "healthy"]

    let image: String
    var warmFirst: [Sample] = []
    var stopFirst: [Sample] = []
}

extension Report {
    /// What a front that holds requests makes of replacements.
    var holdingLines: [String] {
        guard let holding else { return [] }
        let all = holding.warmFirst + holding.stopFirst
        let failed = all.map(\.seen.seen.during.failed).reduce(0, +)
        let (longest, slowest) = (all.map(\.longestRatio).max() ?? 0, all.map(\.slowestRatio).max() ?? 0)
        return [
            "one server with a 'hold' replaced under 20 requests a second, \(holding.image), "
                + "N = \(holding.warmFirst.count) + \(holding.stopFirst.count)"
        ] + lines("warm-first", holding.warmFirst) + lines("stop-first", holding.stopFirst) + [
            "  aim       requests that fail <= 0: \(failed), \(met(failed == 0))",
            "  aim       longest / closed <= \(number(Holding.greatestLongest, 1)) in each: \(number(longest, 2)), "
                + met(longest <= Holding.greatestLongest),
            "  aim       slowest / closed <= \(number(Holding.greatestSlowest, 1)) in each: \(number(slowest, 2)), "
                + met(slowest <= Holding.greatestSlowest),
            "",
        ]
    }

    private func lines(_ name: String, _ samples: [Holding.Sample]) -> [String] {
        samples.map { sample in
            let during = sample.seen.seen.during
            return
                "  \(name)  failed \(during.failed) of \(during.requests)   closed \(number(sample.closed, 2)) s   longest "
                + "\(number(during.longest, 2)) s   slowest \(number(during.answers?.greatest ?? 0, 2)) s"
                + (sample.seen.seen.flaw.map { "   NOT VALID: \($0)" } ?? "")
        }
    }
}
