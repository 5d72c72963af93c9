import KilnDocuments
import KilnEngine
import KilnModel

/// `restore`: returns a volume that nobody uses to a snapshot.
struct RestoreStep: StepAction {
    static let kind = StepKind(
        word: "restore",
        outputs: ["retained"],
        about: "Returns a volume that nobody uses to a snapshot; what it held is retained.",
        fields: { Schema.object(RestoreFields.self, $0) },
        decode: { RestoreStep($0, $1) }
    )

    let volume: Name
    let snapshot: SavedText

    init?(_ value: Value, _ reader: StepReader) {
        guard let fields = Fields<RestoreFields>(value, "a map with 'volume' and 'to'") else { return nil }
        let volume = reader.volume(fields[.volume])
        guard let snapshot = fields[.to].flatMap({ reader.text($0, "the name of a snapshot") }), let volume else {
            return nil
        }
        self.volume = volume
        self.snapshot = snapshot
    }

    var summary: String { "restore \(volume) to \(Name.quoted(snapshot.text))" }

    func foresee(_ forecast: inout LabForecast) {
        forecast.requireAny()
        forecast.requireDetached(volume)
    }

    func perform(_ context: RunContext, as id: StepID) async throws -> StepYield {
        let snapshot = snapshot.resolved(await context.known)
        let kept = try await context.engine.restoreVolume(lab: context.lab.name, volume, to: snapshot)
        return StepYield(message: "what it held is \(kept)", outputs: ["retained": kept])
    }
}

/// The fields of a `restore` step.
enum RestoreFields: String, FileField {
    case volume, to

    static let required: [RestoreFields] = [.volume, .to]

    var schema: JSONValue {
        switch self {
        case .volume: Schema.name("The volume.")
        case .to: Schema.text("The name of the snapshot; a saved value may stand here.")
        }
    }
}
