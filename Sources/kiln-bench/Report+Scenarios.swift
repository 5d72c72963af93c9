extension Report {
    /// What scenarios and many servers take.
    var scenarioLines: [String] { runningLines + crowdLines }

    private var runningLines: [String] {
        guard let running else { return [] }
        return [
            "scenarios, N = \(running.long.count)",
            "  \(running.steps) steps that do nothing  \(seconds(running.long)), one step \(seconds(running.short))",
            "  \(running.scenarios) of a machine each, in turn  \(seconds(running.inTurn))",
            "  the same, two at once       \(seconds(running.twoAtOnce))",
            "  lint of \(running.files) files       \(seconds(running.lint))",
            "  aim       a step <= \(number(Running.longestStep, 0)) ms: \(number(running.step, 2)) ms, "
                + met(running.step <= Running.longestStep),
            "  aim       two at once / in turn <= \(number(Running.largestRatio, 2)): "
                + "\(number(running.ratio, 2)), \(met(running.ratio <= Running.largestRatio))",
            "  aim       lint <= \(number(Running.longestLint, 0)) s: "
                + met(running.lint.median <= Running.longestLint),
            "",
        ]
    }

    private var crowdLines: [String] {
        guard let crowd else { return [] }
        return [
            "kiln ps, no machine on, N = \(crowd.one.count), in turn",
            "  one server                \(milliseconds(crowd.one))",
            "  \(crowd.servers) servers, \(crowd.volumes) volumes  \(milliseconds(crowd.many))",
            "  aim       many / one <= \(number(Crowd.largestRatio, 0)): "
                + "\(number(crowd.ratio, 2)), \(met(crowd.ratio <= Crowd.largestRatio))",
            "",
        ]
    }
}
