import KilnDocuments
import KilnEngine
import KilnModel

/// `stop`: shuts the machines down.
struct StopStep: StepAction {
    static let kind = StepKind(
        word: "stop",
        about: "Shuts the machines down.",
        fields: { StepSchema.servers($0) },
        decode: { value, reader in reader.servers(value).map { StopStep(servers: $0) } }
    )

    let servers: [Name]

    var summary: String { "stop \(servers.words)" }

    func foresee(_ forecast: inout LabForecast) { forecast.change(servers, from: .running, to: .stopped) }

    func perform(_ context: RunContext, as id: StepID) async throws -> StepYield {
        for server in servers { try await context.engine.stop(context.id(server)) }
        return StepYield()
    }
}
