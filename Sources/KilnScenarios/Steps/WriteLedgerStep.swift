import KilnDocuments
import KilnEngine
import KilnModel

/// `write-ledger`: starts the ledger's writer in the background.
struct WriteLedgerStep: StepAction {
    static let kind = StepKind(
        word: "write-ledger",
        about: "Starts writing numbered records.",
        fields: { Schema.object(WriteLedgerFields.self, $0) },
        decode: { WriteLedgerStep($0, $1) }
    )

    let server: Name
    let ledger: Name
    let path: String

    init?(_ value: Value, _ reader: StepReader) {
        guard let fields = Fields<WriteLedgerFields>(value, "a map with 'server' and 'path'") else { return nil }
        let server = reader.server(fields[.server])
        let ledger = fields[.ledger].map { $0.newName() } ?? server
        guard let path = fields[.path]?.guestPath("the ledger's file"), let server, let ledger else { return nil }
        self.server = server
        self.ledger = ledger
        self.path = path
        guard let declared = reader.lab.server(server), declared.spec != nil,
            !declared.mounts.contains(where: { path.hasPrefix($0 + "/") })
        else { return }
        let mounts = declared.mounts.sorted().joined(separator: ", ")
        fields[.path]?.problem(
            "expected a file on a volume of '\(server)' (\(mounts.isEmpty ? "it has none" : mounts)), found '\(path)'; "
                + "anything else is gone after a replacement"
        )
    }

    var summary: String { "write-ledger \(server)" + (ledger == server ? "" : ", \(ledger)") }

    func foresee(_ forecast: inout LabForecast) { forecast.beginLedger(ledger, on: server) }

    func perform(_ context: RunContext, as id: StepID) async throws -> StepYield {
        try await context.beginLedger(ledger, on: server, path: path)
        return StepYield()
    }
}

/// The fields of a `write-ledger` step.
enum WriteLedgerFields: String, FileField {
    case server, path, ledger

    static let required: [WriteLedgerFields] = [.server, .path]

    var schema: JSONValue {
        switch self {
        case .server: Schema.name("The server whose machine writes.")
        case .path: Schema.guestPath("The ledger's file, on a volume of the server.")
        case .ledger: Schema.name("What the ledger is called; as the server without it.")
        }
    }
}
