import KilnDocuments
import KilnModel

/// What every step may have beside its kind.
enum StepAttribute: String, FileField {
    case name, timeout, retry, when, save, during, finally
    case expectFailure = "expect-failure"

    static let required: [StepAttribute] = []

    var schema: JSONValue {
        switch self {
        case .name: Schema.text("What the step is called in reports.")
        case .timeout: Schema.duration("How long it may take, all attempts together.")
        // As a kind of its own it holds steps, so the editor is told of both.
        case .retry: RetryStep.kind.fields(RetryStep.kind.about)
        case .when: Schema.object(WhenFields.self, "When it is done; else it is skipped.")
        case .save:
            Schema.named(
                Schema.text("What the step finds out, such as stdout."),
                "What is saved, by the names it gets."
            )
        case .during: FaultSchema.during
        case .finally: StepSchema.list("What is done after it, however it ends; all of it is tried.")
        case .expectFailure:
            Schema.either(
                [["const": true, "description": "Any failure."], Schema.text("What its reason has to contain.")],
                "That it has to fail."
            )
        }
    }
}

/// The fields of `when`.
enum WhenFields: String, FileField {
    case value, `is`, not

    static let required: [WhenFields] = [.value]

    var schema: JSONValue {
        switch self {
        case .value: Schema.written("What is compared, such as '${matrix.strategy}' or '${saved.id}'.")
        case .is: Schema.written("What it has to be.")
        case .not: Schema.written("What it must not be.")
        }
    }
}

/// The fields of `retry`, beside a step.
enum RetryFields: String, FileField {
    case times, every

    static let required: [RetryFields] = [.times]

    var schema: JSONValue {
        switch self {
        case .times: Schema.whole(RetryPolicy.times, "How many attempts there are at most.")
        case .every: Schema.duration("The pause between two; 1s without it.")
        }
    }
}

/// How steps are written.
enum StepSchema {
    /// The name of the schema of a step among the definitions of the document.
    static let definition = "step"

    /// One step: exactly one kind, and what may stand beside it.
    static var step: JSONValue {
        Schema.titled(
            definition,
            Schema.either(
                [
                    ["enum": .array(bare.map { .string($0) }), "description": "A step on all servers."],
                    [
                        "type": "object", "additionalProperties": false, "oneOf": .array(exactlyOne),
                        "properties": .object(Dictionary(uniqueKeysWithValues: properties)),
                    ],
                ],
                "One step, as a word or as a map of one kind and what may stand beside it."
            )
        )
    }

    /// Some steps, which may hold steps again.
    static func list(_ about: String) -> JSONValue { Schema.list(of: reference, about) }

    /// Stands for the schema of a step.
    static var reference: JSONValue { ["$ref": .string("#/$defs/\(definition)"), "title": .string(definition)] }

    /// All servers, or some.
    static func servers(_ about: String) -> JSONValue {
        Schema.either(
            [["enum": ["all", .null]], Schema.list(of: Schema.name("A server."), "Some servers.")],
            about
        )
    }

    private static var bare: [String] { StepKind.all.filter(\.isBare).map(\.word) }

    private static var properties: [(String, JSONValue)] {
        let kinds = StepKind.all.flatMap { kind -> [(String, JSONValue)] in
            let former = kind.formerly.map { [($0, kind.fields("The former word for '\(kind.word)'."))] } ?? []
            return [(kind.word, kind.fields(kind.about))] + former
        }
        let words = Set(kinds.map(\.0))
        return kinds + StepAttribute.allCases.filter { !words.contains($0.rawValue) }.map { ($0.rawValue, $0.schema) }
    }

    // A word that is an attribute, too, is the kind only where no other kind stands beside it.
    private static var exactlyOne: [JSONValue] {
        let attributes = Set(StepAttribute.allCases.map(\.rawValue))
        return StepKind.all.flatMap(\.words).map { word in
            guard attributes.contains(word) else { return ["required": [.string(word)]] }
            return [
                "required": [.string(word)],
                "propertyNames": ["enum": .array(attributes.sorted().map { .string($0) })],
            ]
        }
    }
}

extension RetryPolicy {
    /// How many attempts a file may ask for.
    static let times = 1...1000
}
