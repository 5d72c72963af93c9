import KilnDocuments
import KilnEngine
import KilnModel

/// `clone`: makes a volume that begins with what another one holds.
struct CloneStep: StepAction {
    static let kind = StepKind(
        word: "clone",
        outputs: ["consistency"],
        about: "Makes a volume of the lab that begins with what another one holds.",
        fields: { Schema.object(CloneFields.self, $0) },
        decode: { CloneStep($0, $1) }
    )

    let volume: Name
    let name: Name

    init?(_ value: Value, _ reader: StepReader) {
        guard let fields = Fields<CloneFields>(value, "a map with 'volume' and 'as'") else { return nil }
        let volume = reader.volume(fields[.volume])
        guard let name = fields[.as]?.newName(), let volume else { return nil }
        if name == volume {
            fields[.as]?.problem("a volume is no clone of itself; choose another name for the clone")
            return nil
        }
        self.volume = volume
        self.name = name
    }

    var summary: String { "clone \(volume) as \(name)" }

    func foresee(_ forecast: inout LabForecast) {
        forecast.requireAny()
        forecast.requireUnmade(name)
    }

    func perform(_ context: RunContext, as id: StepID) async throws -> StepYield {
        let made = try await context.engine.cloneVolume(lab: context.lab.name, volume, as: name)
        return StepYield(message: made.consistency.rawValue, outputs: ["consistency": made.consistency.rawValue])
    }
}

/// The fields of a `clone` step.
enum CloneFields: String, FileField {
    case volume, `as`

    static let required: [CloneFields] = [.volume, .as]

    var schema: JSONValue {
        switch self {
        case .volume: Schema.name("The volume.")
        case .as: Schema.name("What the new volume is called; of one that the lab declares, before its server is up.")
        }
    }
}
