/// What users of a service may see at most.
public struct AvailabilityExpectation: Sendable, Hashable {
    /// How many requests may fail; nothing means any number.
    public let failedAtMost: Int?
    /// How long nobody may answer; nothing means any time.
    public let gapAtMost: Duration?

    /// An expectation from its parts.
    public init(failedAtMost: Int? = nil, gapAtMost: Duration? = nil) {
        self.failedAtMost = failedAtMost
        self.gapAtMost = gapAtMost
    }

    /// In what a result does not meet it; nothing where it does.
    ///
    /// From numbers that mean nothing it doesn't follow that it is met.
    public func unmet(by result: AvailabilityResult) -> String? {
        if let doubt = result.inconclusive { return "a conclusive measurement expected, but \(doubt)" }
        if let failedAtMost, result.failed > failedAtMost {
            let kinds = result.failures.sorted { $0.key.rawValue < $1.key.rawValue }.map {
                "\($0.value) \($0.key.rawValue)"
            }
            return "at most \(failedAtMost) failed requests expected, \(result.failed) of \(result.sent) found: "
                + kinds.joined(separator: ", ")
        }
        if let gapAtMost, Duration.milliseconds(result.longestGapMS) > gapAtMost {
            let most = Int(gapAtMost / .milliseconds(1))
            return "no longer time without an answer than \(most) ms expected, \(result.longestGapMS) ms found"
        }
        return nil
    }
}
