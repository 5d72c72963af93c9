import KilnDocuments
import KilnEngine
import KilnModel

/// `within`: performs steps that have to end in time.
struct WithinStep: StepAction {
    static let kind = StepKind(
        word: "within",
        about: "Performs steps that have to end in time, all together.",
        fields: { Schema.object(WithinFields.self, $0) },
        decode: { WithinStep($0, $1) }
    )

    let limit: Duration
    let children: [PlacedStep]

    init?(_ value: Value, _ reader: StepReader) {
        guard let fields = Fields<WithinFields>(value, "a map with 'time' and 'steps'") else { return nil }
        let limit = fields[.time]?.duration()
        guard let children = fields[.steps].flatMap(reader.steps), let limit else { return nil }
        self.limit = limit
        self.children = children
    }

    var summary: String { "within \(limit.words)" }

    func foresee(_ forecast: inout LabForecast) { forecast.follow(children) }

    func perform(_ context: RunContext, as id: StepID) async throws -> StepYield {
        try await context.within(step: limit, summary) { try await context.take(children, below: id) }
        return StepYield()
    }
}

/// The fields of a `within` step.
enum WithinFields: String, FileField {
    case time, steps

    static let required: [WithinFields] = [.time, .steps]

    var schema: JSONValue {
        switch self {
        case .time: Schema.duration("How long they may take.")
        case .steps: StepSchema.list("What is done.")
        }
    }
}
