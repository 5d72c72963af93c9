/// One answer that a client of a server got, as its front tells it.
public struct FrontAnswer: Sendable, Hashable {
    /// The member that it came from.
    public let ordinal: Int
    /// Whether the client got what it asked for: no error of the server's, and nothing cut.
    public let isGood: Bool
    /// How long it took, in milliseconds, from the request's arrival.
    public let milliseconds: Int

    /// An answer from its parts.
    public init(ordinal: Int, isGood: Bool, milliseconds: Int) {
        self.ordinal = ordinal
        self.isGood = isGood
        self.milliseconds = milliseconds
    }
}

/// Compares the answers of new members with those of old ones, in the same time and under the same load.
public struct RolloutJudge: Sendable {
    private let spec: RolloutJudgeSpec
    private var new: [FrontAnswer] = []
    private var old: [FrontAnswer] = []

    /// Differences below this are the host's, not the members'.
    private static let noise = 5

    /// A judge who has heard nothing yet.
    public init(_ spec: RolloutJudgeSpec) { self.spec = spec }

    /// Takes in an answer.
    public mutating func hear(_ answer: FrontAnswer, isNew: Bool) {
        if isNew { new.append(answer) } else { old.append(answer) }
    }

    /// Whether there are enough answers of both.
    public var hasHeardEnough: Bool { min(new.count, old.count) >= spec.requests }

    /// What came of it, by what was heard so far.
    public var judgement: RolloutJudgement {
        let counts = "\(new.count) answers of new members, \(old.count) of old ones"
        guard hasHeardEnough else {
            return RolloutJudgement(.inconclusive, reason: "\(counts); \(spec.requests) of each are needed")
        }
        let (newErrors, oldErrors) = (errors(new), errors(old))
        let (newTime, oldTime) = (median(new), median(old))
        let figures =
            "\(counts): \(newErrors) and \(oldErrors) failed, the median took \(newTime) and \(oldTime) ms"
        let points = percent(newErrors, new) - percent(oldErrors, old)
        let limit = max(Double(oldTime) * spec.timesSlower, Double(oldTime + RolloutJudge.noise))
        let isWorse = points > spec.moreErrors || Double(newTime) > limit
        return RolloutJudgement(isWorse ? .failed : .successful, reason: figures)
    }

    private func errors(_ answers: [FrontAnswer]) -> Int { answers.filter { !$0.isGood }.count }

    private func percent(_ errors: Int, _ answers: [FrontAnswer]) -> Double {
        Double(errors) * 100 / Double(max(1, answers.count))
    }

    private func median(_ answers: [FrontAnswer]) -> Int {
        answers.map(\.milliseconds).sorted()[answers.count / 2]
    }
}
