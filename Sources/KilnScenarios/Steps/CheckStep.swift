import KilnDocuments
import KilnEngine
import KilnModel

/// `check`: checks the file system of a volume that nobody uses.
struct CheckStep: StepAction {
    static let kind = StepKind(
        word: "check",
        about: "Checks the file system of a volume that nobody uses; it has to be whole.",
        fields: { Schema.object(CheckStepFields.self, $0) },
        decode: { CheckStep($0, $1) }
    )

    let volume: Name

    init?(_ value: Value, _ reader: StepReader) {
        guard let fields = Fields<CheckStepFields>(value, "a map with 'volume'"),
            let volume = reader.volume(fields[.volume])
        else { return nil }
        self.volume = volume
    }

    var summary: String { "check \(volume)" }

    func foresee(_ forecast: inout LabForecast) {
        forecast.requireAny()
        forecast.requireDetached(volume)
    }

    func perform(_ context: RunContext, as id: StepID) async throws -> StepYield {
        let check = try await context.engine.checkVolume(lab: context.lab.name, volume)
        switch check.finding {
        case .clean: return StepYield(message: "clean")
        case .replayed: return StepYield(message: "clean once its journal is replayed")
        case .damaged(let words):
            throw Unmet(
                "the file system of volume \(volume): whole expected, damaged found: \(words.joined(separator: "; "))"
            )
        case .newer(let features, let tool):
            throw Unmet(
                "the file system of volume \(volume): whole expected, but it has \(features.joined(separator: ", ")), "
                    + "which \(tool) does not know"
            )
        }
    }
}

/// The fields of a `check` step.
enum CheckStepFields: String, FileField {
    case volume

    static let required: [CheckStepFields] = [.volume]

    var schema: JSONValue { Schema.name("The volume.") }
}
