import KilnDocuments
import KilnEngine
import KilnModel

/// `split`: a network falls into parts, between which nothing passes.
struct NetworkSplit: FaultAction {
    static let kind = FaultKind(
        word: "split",
        about: "Splits a network into sets of servers, between which nothing passes.",
        fields: { Schema.object(SplitFields.self, $0) },
        decode: { NetworkSplit($0, $1) }
    )

    private let network: Name
    private let sets: [[Name]]

    init?(_ value: Value, _ reader: FaultReader) {
        guard let fields = Fields<SplitFields>(value, "a map with 'network' and 'sets'") else { return nil }
        let networks = Set(reader.servers.flatMap(\.networks)).sorted()
        let network = fields[.network]?.reference("network", among: networks)
        let members = reader.servers.filter { server in network.map { server.networks.contains($0) } ?? true }
        var seen: Set<Name> = []
        let sets = fields[.sets]?.list(of: "at least two sets of servers", atLeast: 2)?.map { set in
            (set.list(of: "servers") ?? []).map { element -> Name? in
                let name = element.reference("server on that network", among: members.map(\.name))
                guard let name, !seen.insert(name).inserted else { return name }
                element.problem("the server '\(name)' is in two sets, or in one twice")
                return nil
            }
        }
        guard let network, let sets, !sets.contains(where: { $0.isEmpty || $0.contains(nil) }) else { return nil }
        self.network = network
        self.sets = sets.map { $0.compactMap(\.self) }
    }

    var summary: String {
        "split \(network): " + sets.map { $0.map(\.text).joined(separator: ", ") }.joined(separator: " | ")
    }
    var servers: [Name] { sets.flatMap(\.self) }

    func strike(_ ground: FaultGround) async throws -> StruckFault {
        let (id, networks, links) = (ground.id(network: network), ground.parts.networks, ground.links)
        let before = try await NetworkCount.status(of: id, ground)
        try await links.split(id, sets)
        return StruckFault(
            proof: {
                guard let after = try await networks.status(id) else { return nil }
                let count = NetworkCount.dropped(.split, before, after)
                return count > 0 ? "\(count) frames refused" : nil
            },
            undo: { try await links.mend(id) }
        )
    }
}

/// The fields of `split`.
enum SplitFields: String, FileField {
    case network, sets

    static let required: [SplitFields] = [.network, .sets]

    var schema: JSONValue {
        switch self {
        case .network: Schema.name("The network.")
        case .sets:
            Schema.list(
                of: Schema.list(of: Schema.name("A server."), "Servers that reach each other."),
                atLeast: 2,
                "The sets; a server in none of them reaches all."
            )
        }
    }
}
