import KilnDocuments
import KilnEngine
import KilnModel

/// `start`: starts stopped machines and waits until they are ready.
struct StartStep: StepAction {
    static let kind = StepKind(
        word: "start",
        about: "Starts stopped machines and waits until they are ready.",
        fields: { StepSchema.servers($0) },
        decode: { value, reader in reader.servers(value).map { StartStep(servers: $0) } }
    )

    let servers: [Name]

    var summary: String { "start \(servers.words)" }

    func foresee(_ forecast: inout LabForecast) { forecast.change(servers, from: .stopped, to: .running) }

    func perform(_ context: RunContext, as id: StepID) async throws -> StepYield {
        var restarts = 0
        for server in servers { restarts += try await context.engine.start(context.id(server)) }
        return StepYield(restarts: restarts)
    }
}
