import KilnDocuments
import KilnEngine
import KilnModel

/// `repeat`: performs steps several times.
struct RepeatStep: StepAction {
    static let kind = StepKind(
        word: "repeat",
        about: "Performs steps several times, one after the other.",
        fields: { Schema.object(RepeatFields.self, $0) },
        decode: { RepeatStep($0, $1) }
    )

    let times: Int
    let children: [PlacedStep]

    init?(_ value: Value, _ reader: StepReader) {
        guard let fields = Fields<RepeatFields>(value, "a map with 'times' and 'steps'") else { return nil }
        let times = fields[.times]?.whole(in: 1...10_000)
        guard let children = fields[.steps].flatMap(reader.steps), let times else { return nil }
        self.times = times
        self.children = children
    }

    var rounds: Int { times }

    var summary: String { "repeat \(times) times" }

    func foresee(_ forecast: inout LabForecast) {
        forecast.follow(children)
        // What one round leaves is what the next one finds.
        if times > 1 { forecast.follow(children) }
    }

    func perform(_ context: RunContext, as id: StepID) async throws -> StepYield {
        for round in 1...times {
            try await context.group("round \(round)", as: id.child(round), children)
        }
        return StepYield()
    }
}

/// The fields of a `repeat` step.
enum RepeatFields: String, FileField {
    case times, steps

    static let required: [RepeatFields] = [.times, .steps]

    var schema: JSONValue {
        switch self {
        case .times: Schema.whole(1...10_000, "How often.")
        case .steps: StepSchema.list("What is done each time.")
        }
    }
}
