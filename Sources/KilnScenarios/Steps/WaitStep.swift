import KilnDocuments
import KilnEngine
import KilnModel

/// `wait`: waits until servers that run are ready.
struct WaitStep: StepAction {
    static let kind = StepKind(
        word: "wait",
        about: "Waits until servers that run are ready, for their ready-timeout at most.",
        fields: { StepSchema.servers($0) },
        decode: { value, reader in reader.servers(value).map { WaitStep(servers: $0) } }
    )

    let servers: [Name]

    var summary: String { "wait \(servers.words)" }

    func foresee(_ forecast: inout LabForecast) { servers.forEach { forecast.require($0) } }

    func perform(_ context: RunContext, as id: StepID) async throws -> StepYield {
        for server in servers { try await context.awaitReady(ServerMember(server: server)) }
        return StepYield()
    }
}
