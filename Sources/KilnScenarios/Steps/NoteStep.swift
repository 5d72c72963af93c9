import KilnDocuments
import KilnEngine
import KilnModel

/// `note`: says something to who reads the report.
struct NoteStep: StepAction {
    static let kind = StepKind(
        word: "note",
        about: "Says something to who reads the report.",
        fields: { Schema.text($0) },
        decode: { value, reader in reader.text(value).map { NoteStep(text: $0) } }
    )

    let text: SavedText

    var summary: String { "note" }

    func foresee(_ forecast: inout LabForecast) {}

    func perform(_ context: RunContext, as id: StepID) async throws -> StepYield {
        StepYield(message: SavedOutput.printable(text.resolved(await context.known)))
    }
}
