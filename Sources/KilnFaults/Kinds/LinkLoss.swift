import KilnDocuments
import KilnModel

/// `link-loss`: some frames are lost.
struct LinkLoss: FaultAction {
    static let kind = FaultKind(
        word: "link-loss",
        about: "Loses some of the frames between a server and a network, both ways.",
        fields: { Schema.object(LinkLossFields.self, $0) },
        decode: { LinkLoss($0, $1) }
    )

    private let link: LinkChange
    private let percent: Int

    init?(_ value: Value, _ reader: FaultReader) {
        guard let fields = Fields<LinkLossFields>(value, "a map with 'server', 'network' and 'percent'") else {
            return nil
        }
        let link = LinkChange(server: fields[.server], network: fields[.network], reader)
        let percent = fields[.percent]?.whole(in: 1...100)
        guard let link, let percent else { return nil }
        self.link = link
        self.percent = percent
    }

    var summary: String { "link-loss \(link.words), \(percent) %" }
    var servers: [Name] { [link.server] }

    func strike(_ ground: FaultGround) async throws -> StruckFault {
        var chance = ground.chance
        let fault = LinkFault(loss: percent * 10, seed: UInt32(truncatingIfNeeded: chance.next()))
        return try await link.strike(fault, ground) { [server = link.server] before, after in
            let count = NetworkCount.dropped(.lost, by: server, before, after)
            return count > 0 ? "\(count) frames lost" : nil
        }
    }
}

/// The fields of `link-loss`.
enum LinkLossFields: String, FileField {
    case server, network, percent

    static let required: [LinkLossFields] = [.server, .network, .percent]

    var schema: JSONValue {
        switch self {
        case .server: Schema.name("The server.")
        case .network: Schema.name("The network that it is on.")
        case .percent: Schema.whole(1...100, "How many of a hundred frames are lost.")
        }
    }
}
