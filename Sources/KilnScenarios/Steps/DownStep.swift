import KilnDocuments
import KilnEngine
import KilnModel

/// `down`: removes the machines; volumes stay.
struct DownStep: StepAction {
    static let kind = StepKind(
        word: "down",
        isBare: true,
        about: "Removes the machines; volumes stay.",
        fields: { ["enum": ["all", .null], "description": .string($0)] },
        decode: { value, reader in reader.all(value, "'all' or nothing") ? DownStep() : nil }
    )

    var summary: String { "down" }

    func foresee(_ forecast: inout LabForecast) { forecast.takeDown() }

    func perform(_ context: RunContext, as id: StepID) async throws -> StepYield {
        await context.rememberServers()
        try await context.engine.down(context.lab.name)
        return StepYield()
    }
}
