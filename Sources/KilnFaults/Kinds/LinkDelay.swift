import KilnDocuments
import KilnModel

/// `link-delay`: every frame is late.
struct LinkDelay: FaultAction {
    static let kind = FaultKind(
        word: "link-delay",
        about: "Lets every frame between a server and a network be late, both ways.",
        fields: { Schema.object(LinkDelayFields.self, $0) },
        decode: { LinkDelay($0, $1) }
    )

    private let link: LinkChange
    /// In milliseconds.
    private let delay: Int

    init?(_ value: Value, _ reader: FaultReader) {
        guard let fields = Fields<LinkDelayFields>(value, "a map with 'server', 'network' and 'by'") else { return nil }
        let link = LinkChange(server: fields[.server], network: fields[.network], reader)
        let by = fields[.by]?.duration()
        if let by, by > .seconds(60) { fields[.by]?.problem("expected at most 60s, found \(by / .seconds(1)) s") }
        guard let link, let by else { return nil }
        self.link = link
        delay = Int(by / .milliseconds(1))
    }

    var summary: String { "link-delay \(link.words) by \(delay) ms" }
    var servers: [Name] { [link.server] }

    func strike(_ ground: FaultGround) async throws -> StruckFault {
        let (server, fault) = (link.server, LinkFault(delay: delay))
        // The switch does not count what is late: all that passes is, for as long as the fault stands.
        return try await link.strike(fault, ground) { before, after in
            let isLate = (after.faults[server]?.delay ?? 0) >= fault.delay
            let count = isLate ? NetworkCount.passed(server, before, after) : 0
            return count > 0 ? "\(count) frames came late" : nil
        }
    }
}

/// The fields of `link-delay`.
enum LinkDelayFields: String, FileField {
    case server, network, by

    static let required: [LinkDelayFields] = [.server, .network, .by]

    var schema: JSONValue {
        switch self {
        case .server: Schema.name("The server.")
        case .network: Schema.name("The network that it is on.")
        case .by: Schema.duration("By how long each frame is late, up to 60s.")
        }
    }
}
