import KilnDocuments
import KilnEngine
import KilnModel

/// `reboot`: restarts guests; the machines and generations stay.
struct RebootStep: StepAction {
    static let kind = StepKind(
        word: "reboot",
        about: "Restarts guests and waits until they are ready; the machines stay.",
        fields: { StepSchema.servers($0) },
        decode: { value, reader in reader.servers(value).map { RebootStep(servers: $0) } }
    )

    let servers: [Name]

    var summary: String { "reboot \(servers.words)" }

    func foresee(_ forecast: inout LabForecast) { forecast.change(servers, from: .running, to: .running) }

    func perform(_ context: RunContext, as id: StepID) async throws -> StepYield {
        var restarts = 0
        for server in servers { restarts += try await context.engine.reboot(context.id(server)) }
        return StepYield(restarts: restarts)
    }
}
