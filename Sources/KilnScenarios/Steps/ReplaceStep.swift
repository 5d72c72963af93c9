import KilnDocuments
import KilnEngine
import KilnModel

/// `replace`: replaces the server's machine by one of the next generation.
struct ReplaceStep: StepAction {
    static let kind = StepKind(
        word: "replace",
        hasMoments: true,
        isKillable: true,
        outputs: JudgedReplacement.outputs,
        about: "Replaces a server's machine, or those of all its members as its rollout says.",
        fields: { Schema.object(ReplaceFields.self, $0) },
        decode: { ReplaceStep($0, $1) }
    )

    let server: Name
    /// How it is done; no image means the one that the lab declares.
    let options: ReplaceOptions
    /// How it has to end.
    let outcome: ReplacementEnd

    init?(_ value: Value, _ reader: StepReader) {
        guard let fields = Fields<ReplaceFields>(value, "a map with 'server'") else { return nil }
        let server = reader.server(fields[.server])
        let image = fields[.image].map { $0.image() }
        let strategy = fields[.strategy].map { $0.strategy() }
        let data = fields[.dataOnRevert].map { $0.word(DataOnRevert.self) } ?? .keep
        let forceStop = fields[.forceStop].map { $0.bool() } ?? false
        let rehearsesFirst = fields[.rehearse].map { $0.bool() } ?? false
        let outcome = fields[.outcome].map { $0.word(ReplacementEnd.self) } ?? .committed
        guard let server, let data, let forceStop, let rehearsesFirst, let outcome, image != .some(nil),
            strategy != .some(nil)
        else { return nil }
        if strategy == .some(.warmFirst), let declared = reader.lab.server(server),
            declared.spec?.strategy == .stopFirst, let found = declared.ownMounts.first
        {
            fields[.strategy]?.problem(found.refusal(of: server))
        }
        self.server = server
        self.outcome = outcome
        options = ReplaceOptions(
            image: image ?? nil,
            strategy: strategy ?? nil,
            dataOnRevert: data,
            forceStop: forceStop,
            rehearsesFirst: rehearsesFirst
        )
    }

    var images: [ImageReference] { [options.image].compactMap(\.self) }

    var summary: String {
        "replace \(server)" + (options.image.map { " by \($0)" } ?? "")
            + (options.strategy.map { ", \($0.rawValue)" } ?? "")
    }

    var renewed: [Name] { [server] }

    func foresee(_ forecast: inout LabForecast) { forecast.replace(server) }

    func perform(_ context: RunContext, as id: StepID) async throws -> StepYield {
        var options = options
        options.image = try options.image.map { try context.scenario.lock?.pinned($0) ?? $0 }
        let (engine, server, pinned) = (context.engine, context.id(server), options)
        return try await JudgedReplacement(server: server, expected: outcome).perform(context) {
            guard context.moments.killsKiln(in: id) else {
                // All members of it, a few at a time, where it has several.
                guard engine.members(of: server.whole).count > 1 else {
                    return ReplacementEnding(try await engine.replace(server, pinned))
                }
                return ReplacementEnding(try await engine.rollOut(server.whole, pinned))
            }
            return try await context.replaceApart(server, pinned, as: id)
        }
    }
}

/// The fields of a `replace` step.
enum ReplaceFields: String, FileField {
    case server, image, strategy, rehearse, outcome
    case dataOnRevert = "data-on-revert"
    case forceStop = "force-stop"

    static let required: [ReplaceFields] = [.server]
    static let instead = ["canary": "it is called 'rehearse' now"]

    var schema: JSONValue {
        switch self {
        case .server: Schema.name("The server to replace.")
        case .image: Schema.image("The image of the next generation; without it the one that the lab declares.")
        case .strategy: Schema.words(Strategy.self, "How it follows the old one; without it as the lab declares.")
        case .rehearse: Schema.bool("Whether it is tried on clones of the volumes first; false without it.")
        case .outcome: Schema.words(ReplacementEnd.self, "How it has to end; committed without it.")
        case .dataOnRevert:
            Schema.words(DataOnRevert.self, "What becomes of the data on a revert; keep without it.")
        case .forceStop:
            Schema.bool("Whether an old machine that refuses to shut down is switched off; false without it.")
        }
    }
}
