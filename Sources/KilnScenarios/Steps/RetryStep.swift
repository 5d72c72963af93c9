import KilnDocuments
import KilnEngine
import KilnModel

/// `retry`: performs steps until all of them pass, a few times at most.
struct RetryStep: StepAction {
    static let kind = StepKind(
        word: "retry",
        about:
            "Performs steps until all of them pass, so many times at most; beside a step, without 'steps', it is about that step.",
        fields: { Schema.object(RetryStepFields.self, $0) },
        decode: { RetryStep($0, $1) }
    )

    let policy: RetryPolicy
    let children: [PlacedStep]

    init?(_ value: Value, _ reader: StepReader) {
        guard let fields = Fields<RetryStepFields>(value, "a map with 'times' and 'steps'") else { return nil }
        fields.require([.steps])
        let policy = RetryPolicy(times: fields[.times], every: fields[.every])
        guard let children = fields[.steps].flatMap(reader.steps), let policy else { return nil }
        self.policy = policy
        self.children = children
    }

    var rounds: Int { policy.times }

    var summary: String { "retry \(policy.times) times" }

    func foresee(_ forecast: inout LabForecast) { forecast.follow(children) }

    func perform(_ context: RunContext, as id: StepID) async throws -> StepYield {
        let number = try await policy.attempts { attempt in
            try await context.group("attempt \(attempt)", as: id.child(attempt), children)
            return attempt
        }
        return StepYield(message: number == 1 ? nil : "passed at attempt \(number)")
    }
}

/// The fields of a `retry` step.
enum RetryStepFields: String, FileField {
    case times, every, steps

    static let required: [RetryStepFields] = [.times]

    var schema: JSONValue {
        switch self {
        case .times: RetryFields.times.schema
        case .every: RetryFields.every.schema
        case .steps: StepSchema.list("What is done until it passes; only where 'retry' is the step itself.")
        }
    }
}
