import KilnDocuments
import KilnModel

/// `link-cut`: nothing passes between a server and a network.
struct LinkCut: FaultAction {
    static let kind = FaultKind(
        word: "link-cut",
        about: "Lets nothing pass between a server and a network of the lab.",
        fields: { Schema.object(LinkFields.self, $0) },
        decode: { LinkCut($0, $1) }
    )

    private let link: LinkChange

    init?(_ value: Value, _ reader: FaultReader) {
        guard let fields = Fields<LinkFields>(value, "a map with 'server' and 'network'"),
            let link = LinkChange(server: fields[.server], network: fields[.network], reader)
        else { return nil }
        self.link = link
    }

    var summary: String { "link-cut \(link.words)" }
    var servers: [Name] { [link.server] }

    func strike(_ ground: FaultGround) async throws -> StruckFault {
        try await link.strike(LinkFault(isCut: true), ground, proof: link.refused)
    }
}

/// The fields of a fault of a link.
enum LinkFields: String, FileField {
    case server, network

    static let required: [LinkFields] = [.server, .network]

    var schema: JSONValue {
        switch self {
        case .server: Schema.name("The server.")
        case .network: Schema.name("The network that it is on.")
        }
    }
}
