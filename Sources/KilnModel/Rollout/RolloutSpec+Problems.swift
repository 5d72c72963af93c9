extension RolloutSpec {
    /// What is wrong with a field.
    public struct Problem: Sendable, Hashable {
        /// The field, as it is written in a lab file.
        public let field: String
        /// What was expected, and what was found.
        public let message: String

        /// A problem from its parts.
        public init(_ field: String, _ message: String) {
            self.field = field
            self.message = message
        }
    }

    /// Everything that is wrong with it for a server with so many members.
    public func problems(replicas: Int) -> [Problem] {
        numberProblems + canaryProblems(replicas: replicas) + timeProblems + judgeProblems(replicas: replicas)
    }

    private var numberProblems: [Problem] {
        let numbers = [("max-unavailable", maxUnavailable), ("max-surge", maxSurge), ("partition", partition)]
        let negative = numbers.filter { $0.1 < 0 }.map { Problem($0.0, "expected 0 or more, found \($0.1)") }
        guard maxUnavailable == 0, maxSurge == 0 else { return negative }
        return negative + [Problem("max-unavailable", "0, and so is max-surge: then no member can ever be replaced")]
    }

    private func canaryProblems(replicas: Int) -> [Problem] {
        var problems: [Problem] = []
        if partition >= max(replicas, 1) {
            problems.append(Problem("partition", "expected less than replicas, \(replicas), found \(partition)"))
        }
        let taking = max(0, replicas - max(0, partition))
        if canaries < 0 {
            problems.append(Problem("canaries", "expected 0 or more, found \(canaries)"))
        } else if canaries > taking {
            problems.append(Problem("canaries", "expected at most \(taking), as many as take part, found \(canaries)"))
        }
        if pause != .none && canaries <= 0 {
            problems.append(Problem("pause", "follows the canaries, and there are none"))
        }
        return problems
    }

    private var timeProblems: [Problem] {
        var problems: [Problem] = []
        if soak < .zero { problems.append(Problem("soak", "expected no negative time")) }
        if progressDeadline <= .zero { problems.append(Problem("progress-deadline", "expected more than 0s")) }
        if case .lasting(let time) = pause, time <= .zero {
            problems.append(Problem("pause", "expected more than 0s"))
        }
        return problems
    }

    private func judgeProblems(replicas: Int) -> [Problem] {
        guard let judge else { return [] }
        var problems: [Problem] = []
        if replicas < 2 { problems.append(Problem("judge", "compares members, and there is only one")) }
        if judge.requests < 1 {
            problems.append(Problem("judge.requests", "expected 1 or more, found \(judge.requests)"))
        }
        // Written so that what is no number is a problem, too.
        if !(0...100).contains(judge.moreErrors) {
            problems.append(Problem("judge.more-errors", "expected 0 to 100 percent points, found \(judge.moreErrors)"))
        }
        if !(judge.timesSlower >= 1 && judge.timesSlower.isFinite) {
            problems.append(Problem("judge.times-slower", "expected 1 or more, found \(judge.timesSlower)"))
        }
        return problems
    }
}
