import KilnDocuments
import KilnEngine
import KilnModel

/// `port-taken`: somebody listens on the port of the host that a server publishes.
struct PortTaken: FaultAction {
    static let kind = FaultKind(
        word: "port-taken",
        about: "Listens on a port of the host that a server publishes, while its machine is off.",
        fields: { Schema.object(PortFields.self, $0) },
        decode: { PortTaken($0, $1) }
    )

    private let server: Name
    private let port: Name

    init?(_ value: Value, _ reader: FaultReader) {
        guard let fields = Fields<PortFields>(value, "a map with 'server' and 'port'") else { return nil }
        guard let server = reader.server(fields[.server]),
            let port = fields[.port]?.reference("published port of '\(server.name)'", among: server.ports)
        else { return nil }
        self.server = server.name
        self.port = port
    }

    var summary: String { "port-taken: \(port) of \(server)" }
    var servers: [Name] { [server] }
    var needsMachine: Bool { false }

    func strike(_ ground: FaultGround) async throws -> StruckFault {
        guard let found = try await ground.engine.status(ground.id(server)).ports[port] else {
            throw FaultGround.impossible("\(server) publishes no port \(port) now")
        }
        let held = try ground.host.listen(on: found.host)
        let ports = ground.parts.ports
        return StruckFault(
            proof: { ports.isFree(found.host, .tcp) ? nil : "port \(found.host) of the host is taken" },
            undo: { held.release() }
        )
    }
}

/// The fields of `port-taken`.
enum PortFields: String, FileField {
    case server, port

    static let required: [PortFields] = [.server, .port]

    var schema: JSONValue {
        switch self {
        case .server: Schema.name("The server.")
        case .port: Schema.name("The published port, over TCP.")
        }
    }
}
