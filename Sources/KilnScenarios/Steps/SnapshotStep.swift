import KilnDocuments
import KilnEngine
import KilnModel

/// `snapshot`: gives the present state of a volume a name.
struct SnapshotStep: StepAction {
    static let kind = StepKind(
        word: "snapshot",
        formerly: "volume-snapshot",
        outputs: ["name", "consistency"],
        about: "Gives the present state of a volume a name.",
        fields: { Schema.object(SnapshotFields.self, $0) },
        decode: { SnapshotStep($0, $1) }
    )

    let volume: Name
    /// What it is called; nothing means the first free of snapshot-1 and so on.
    let name: Name?

    init?(_ value: Value, _ reader: StepReader) {
        guard let fields = Fields<SnapshotFields>(value, "a map with 'volume'") else { return nil }
        let volume = reader.volume(fields[.volume])
        let name = fields[.name].map { $0.newName() }
        guard let volume, name != .some(nil) else { return nil }
        self.volume = volume
        self.name = name ?? nil
    }

    var summary: String { "snapshot \(volume)" + (name.map { " as \($0)" } ?? "") }

    func foresee(_ forecast: inout LabForecast) { forecast.requireAny() }

    func perform(_ context: RunContext, as id: StepID) async throws -> StepYield {
        let made = try await context.engine.snapshotVolume(lab: context.lab.name, volume, as: name)
        return StepYield(
            message: "\(made.name), \(made.consistency.rawValue)",
            outputs: ["name": made.name.text, "consistency": made.consistency.rawValue]
        )
    }
}

/// The fields of a `snapshot` step.
enum SnapshotFields: String, FileField {
    case volume, name

    static let required: [SnapshotFields] = [.volume]

    var schema: JSONValue {
        switch self {
        case .volume: Schema.name("The volume.")
        case .name: Schema.name("What the snapshot is called; the first free of snapshot-1 and so on without it.")
        }
    }
}
