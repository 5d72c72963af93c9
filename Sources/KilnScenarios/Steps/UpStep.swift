import KilnDocuments
import KilnEngine
import KilnModel

/// `up`: makes the servers and waits until they are ready.
struct UpStep: StepAction {
    static let kind = StepKind(
        word: "up",
        isBare: true,
        hasMoments: true,
        about: "Makes the servers and waits until they are ready.",
        fields: { StepSchema.servers($0) },
        decode: { value, reader in reader.servers(value).map { UpStep(servers: $0) } }
    )

    let servers: [Name]

    var summary: String { "up \(servers.words)" }

    var renewed: [Name] { servers }

    func foresee(_ forecast: inout LabForecast) { forecast.bringUp(servers) }

    func perform(_ context: RunContext, as id: StepID) async throws -> StepYield {
        await context.remember(try await context.engine.up(context.lab, only: servers))
        return StepYield()
    }
}

extension [Name] {
    /// The names with commas between them.
    var words: String { map(\.text).joined(separator: ", ") }
}
