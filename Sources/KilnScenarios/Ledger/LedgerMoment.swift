import KilnModel

/// A step of a scenario in time, counted from the start of the run by a clock that nobody sets.
public struct StepSpan: Sendable, Hashable {
    /// The step in the words of the file.
    public let name: String
    /// When it began.
    public let start: Duration
    /// When it ended; nothing while it goes on.
    public let end: Duration?

    /// A span from its parts.
    public init(name: String, start: Duration, end: Duration? = nil) {
        self.name = name
        self.start = start
        self.end = end
    }
}

/// When something was, relative to the steps of a scenario.
public struct LedgerMoment: Sendable, Hashable, Codable {
    /// How a moment lies to a step.
    public enum Relation: String, Sendable, Hashable, Codable {
        /// Between its beginning and its end.
        case during
        /// After its end, and before the next step began.
        case after
    }

    /// Milliseconds since the start of the run.
    public let ms: Int
    /// How it lies to the step; nothing before the first.
    public let relation: Relation?
    /// The step in the words of the file.
    public let step: String?
    /// Milliseconds since the step began, or since it ended.
    public let sinceMS: Int?

    private enum CodingKeys: String, CodingKey {
        case ms, relation, step
        case sinceMS = "since_ms"
    }

    /// A moment among steps; of several that go on at once, the one that began last counts.
    public init(_ time: Duration, among steps: [StepSpan]) {
        let begun = steps.filter { $0.start <= time }
        let going = begun.filter { step in step.end.map { time <= $0 } ?? true }.max { $0.start < $1.start }
        let ended = begun.max { ($0.end ?? .zero) < ($1.end ?? .zero) }
        ms = LedgerMoment.milliseconds(time)
        step = (going ?? ended)?.name
        relation = going != nil ? .during : ended != nil ? .after : nil
        sinceMS = (going?.start ?? ended?.end).map { LedgerMoment.milliseconds(time - $0) }
    }

    /// The moment in words, such as `120 ms into 'replace web'`.
    public var description: String {
        guard let relation, let step, let sinceMS else { return "\(ms) ms into the run" }
        return relation == .during ? "\(sinceMS) ms into '\(step)'" : "\(sinceMS) ms after '\(step)'"
    }

    private static func milliseconds(_ duration: Duration) -> Int { Int(duration / .milliseconds(1)) }
}
