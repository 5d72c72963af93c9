import KilnModel

/// What came of one step, with those that it holds; the keys of its JSON are part of Kiln's contract.
public struct StepResult: Sendable, Hashable, Codable {
    /// Which step of the run it is.
    public let id: StepID
    /// The word of its kind; `round` or `attempt` for one pass of steps that are done several times.
    public let kind: String
    /// Where it stands in the file; a pass of several stands where those do.
    public let place: StepPlace
    /// The step in the words of the file, or what the file calls it.
    public let name: String
    /// How it ended.
    public let outcome: ScenarioReport.Outcome
    /// When it began, in milliseconds since the run did; monotonic.
    public let beginMS: Int
    /// When it ended, in milliseconds since the run began.
    public let endMS: Int
    /// How long it took, in milliseconds.
    public let ms: Int
    /// What is worth telling; what was expected and what was found, where it did not pass.
    public let detail: String?
    /// The steps that it holds, as far as they were reached, in the order in which they stand.
    public let children: [StepResult]

    /// A step's result from its parts.
    public init(
        id: StepID,
        kind: String,
        place: StepPlace,
        name: String,
        outcome: ScenarioReport.Outcome,
        begin: Duration,
        end: Duration,
        detail: String? = nil,
        children: [StepResult] = []
    ) {
        self.id = id
        self.kind = kind
        self.place = place
        self.name = name
        self.outcome = outcome
        beginMS = Int(begin / .milliseconds(1))
        endMS = Int(end / .milliseconds(1))
        ms = endMS - beginMS
        self.detail = detail
        self.children = children
    }

    /// The same without the passwords of external services; those that it holds were recorded without before.
    func hiding(_ externals: [Name: ExternalAccess]) -> StepResult {
        guard let detail, !externals.isEmpty else { return self }
        return StepResult(
            id: id,
            kind: kind,
            place: place,
            name: name,
            outcome: outcome,
            begin: .milliseconds(beginMS),
            end: .milliseconds(endMS),
            detail: externals.hidden(in: detail),
            children: children
        )
    }

    private enum CodingKeys: String, CodingKey {
        case id, kind, place, name, outcome, ms, detail, children
        case beginMS = "begin_ms"
        case endMS = "end_ms"
    }
}
