import KilnDocuments
import KilnEngine
import KilnModel

/// `kill-kiln`: SIGKILL to the kiln that replaces a server; the run goes on with what it left.
struct KillKiln: FaultAction {
    static let kind = FaultKind(
        word: "kill-kiln",
        isOfReplacement: true,
        about:
            "Kills the kiln that replaces a server; what it left is finished or taken back.",
        fields: { Schema.object(KillKilnFields.self, $0) },
        decode: { KillKiln($0, $1) }
    )

    private let server: Name

    init?(_ value: Value, _ reader: FaultReader) {
        guard let fields = Fields<KillKilnFields>(value, "a map with 'server'"),
            let server = reader.server(fields[.server])
        else { return nil }
        self.server = server.name
    }

    var summary: String { "kill-kiln that replaces \(server)" }
    var servers: [Name] { [server] }
    var isMomentary: Bool { true }
    var killsKiln: Bool { true }

    func strike(_ ground: FaultGround) async throws -> StruckFault {
        guard let pid = ground.kilns.process(of: ground.id(server)) else {
            throw FaultGround.impossible("no kiln of its own replaces \(server) now")
        }
        guard try await PowerCut.end(pid, ground.host) else { return StruckFault(proof: { nil }) }
        return StruckFault(proof: { "kiln, process \(pid), is gone" })
    }
}

/// The fields of `kill-kiln`.
enum KillKilnFields: String, FileField {
    case server

    static let required: [KillKilnFields] = [.server]

    var schema: JSONValue { Schema.name("The server that is replaced.") }
}
