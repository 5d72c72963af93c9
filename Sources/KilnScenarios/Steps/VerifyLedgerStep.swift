import KilnDocuments
import KilnEngine
import KilnModel

/// `verify-ledger`: stops the writer and compares what was acknowledged with what the volume holds.
struct VerifyLedgerStep: StepAction {
    static let kind = StepKind(
        word: "verify-ledger",
        outputs: ["acknowledged"],
        about: "Stops the writer and counts what is lost.",
        fields: { Schema.object(VerifyLedgerFields.self, $0) },
        decode: { VerifyLedgerStep($0, $1) }
    )

    let server: Name
    let ledger: Name
    let recordsAtLeast: Int

    init?(_ value: Value, _ reader: StepReader) {
        guard let fields = Fields<VerifyLedgerFields>(value, "a map with 'server' or 'external'") else { return nil }
        let server = reader.ledgerPlace(server: fields[.server], external: fields[.external], in: value)
        let ledger = fields[.ledger].map { $0.newName() } ?? server
        let least = fields[.recordsAtLeast].map { $0.whole(in: 1...10_000_000) } ?? 1
        guard let server, let ledger, let least else { return nil }
        self.server = server
        self.ledger = ledger
        recordsAtLeast = least
    }

    var summary: String { "verify-ledger \(server)" + (ledger == server ? "" : ", \(ledger)") }

    func foresee(_ forecast: inout LabForecast) { forecast.endLedger(ledger, on: server) }

    func perform(_ context: RunContext, as id: StepID) async throws -> StepYield {
        let (message, acknowledged) = try await context.endLedger(ledger, on: server, atLeast: recordsAtLeast)
        return StepYield(message: message, outputs: ["acknowledged": "\(acknowledged)"])
    }
}

/// The fields of a `verify-ledger` step.
enum VerifyLedgerFields: String, FileField {
    case server, external, ledger
    case recordsAtLeast = "records-at-least"

    // Or 'external' in its place, which the decoder says.
    static let required: [VerifyLedgerFields] = []

    var schema: JSONValue {
        switch self {
        case .server: Schema.name("The server whose ledger is verified; this or external is needed.")
        case .external: Schema.name("The external service whose ledger is verified, in place of a server.")
        case .ledger: Schema.name("Which ledger; the one that is called as the server without it.")
        case .recordsAtLeast:
            Schema.whole(1...10_000_000, "How many records have to be acknowledged; 1 without it.")
        }
    }
}
