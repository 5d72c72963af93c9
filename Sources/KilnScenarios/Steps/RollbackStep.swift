import KilnDocuments
import KilnEngine
import KilnModel

/// `rollback`: replaces the server's machine by one from the image of an earlier generation.
struct RollbackStep: StepAction {
    static let kind = StepKind(
        word: "rollback",
        hasMoments: true,
        outputs: JudgedReplacement.outputs,
        about: "Replaces a machine by one from the image of an earlier generation.",
        fields: { Schema.object(RollbackFields.self, $0) },
        decode: { RollbackStep($0, $1) }
    )

    let server: Name
    /// The generation to go back to; nothing means the one before.
    let generation: Generation?
    /// How it has to end.
    let outcome: ReplacementEnd

    init?(_ value: Value, _ reader: StepReader) {
        guard let fields = Fields<RollbackFields>(value, "a map with 'server'") else { return nil }
        let server = reader.server(fields[.server])
        let generation = fields[.to].map { $0.whole(in: 1...1_000_000) }
        let outcome = fields[.outcome].map { $0.word(ReplacementEnd.self) } ?? .committed
        guard let server, let outcome, generation != .some(nil) else { return nil }
        self.server = server
        self.generation = (generation ?? nil).map { Generation($0) }
        self.outcome = outcome
    }

    var summary: String { "rollback \(server)" + (generation.map { " to \($0)" } ?? "") }

    var renewed: [Name] { [server] }

    func foresee(_ forecast: inout LabForecast) { forecast.replace(server) }

    func perform(_ context: RunContext, as id: StepID) async throws -> StepYield {
        let (engine, server, generation) = (context.engine, context.id(server), generation)
        return try await JudgedReplacement(server: server, expected: outcome).perform(context) {
            ReplacementEnding(try await engine.rollback(server, to: generation))
        }
    }
}

/// The fields of a `rollback` step.
enum RollbackFields: String, FileField {
    case server, to, outcome

    static let required: [RollbackFields] = [.server]

    var schema: JSONValue {
        switch self {
        case .server: Schema.name("The server.")
        case .to: Schema.whole(1...1_000_000, "The generation to go back to; the one before without it.")
        case .outcome: Schema.words(ReplacementEnd.self, "How it has to end; committed without it.")
        }
    }
}
