import KilnDocuments
import KilnEngine
import KilnModel

/// `link-flap`: the link of a server is cut and made whole again and again.
struct LinkFlap: FaultAction {
    static let kind = FaultKind(
        word: "link-flap",
        about: "Cuts the link of a server to a network and makes it whole, again and again.",
        fields: { Schema.object(LinkFlapFields.self, $0) },
        decode: { LinkFlap($0, $1) }
    )

    private let link: LinkChange
    private let every: Duration
    /// What the file says that its pauses are made from; nothing means the run's seed.
    private let seed: Int?

    init?(_ value: Value, _ reader: FaultReader) {
        guard let fields = Fields<LinkFlapFields>(value, "a map with 'server', 'network' and 'every'") else {
            return nil
        }
        let link = LinkChange(server: fields[.server], network: fields[.network], reader)
        let every = fields[.every]?.duration()
        let seed = fields[.seed].map { $0.whole(in: 1...1_000_000) }
        guard let link, let every, seed != .some(nil) else { return nil }
        self.link = link
        self.every = every
        self.seed = seed ?? nil
    }

    var summary: String { "link-flap \(link.words)" + (seed.map { ", seed \($0)" } ?? "") }
    var servers: [Name] { [link.server] }

    func strike(_ ground: FaultGround) async throws -> StruckFault {
        let (network, networks, links) = (ground.id(network: link.network), ground.parts.networks, ground.links)
        let before = try await NetworkCount.status(of: network, ground)
        let struck = try await links.begin(LinkFault(isCut: true), of: link.server, on: network)
        let chance = seed.map { SeededChance(seed: UInt64($0)) } ?? ground.chance
        let flapping = Task { [every] in
            var pauses = PauseSequence(around: every, chance)
            var isCut = true
            while true {
                try await Task.sleep(for: pauses.next())
                isCut.toggle()
                try await links.change(struck, to: LinkFault(isCut: isCut))
            }
        }
        return StruckFault(
            proof: { [link] in try await networks.status(network).flatMap { link.refused(before, $0) } },
            undo: {
                flapping.cancel()
                // It ends by its cancellation; a switch that refused a change is told by the last one below.
                _ = await flapping.result
                try await links.change(struck, to: nil)
            }
        )
    }
}

/// Pauses from a half to one and a half of a duration: the same for the same chance.
struct PauseSequence: Sendable {
    private let middle: Duration
    private var chance: SeededChance

    init(around middle: Duration, _ chance: SeededChance) {
        self.middle = middle
        self.chance = chance
    }

    /// The next one.
    mutating func next() -> Duration {
        middle * (0.5 + Double(chance.next() >> 11) / Double(UInt64(1) << 53))
    }
}

/// The fields of `link-flap`.
enum LinkFlapFields: String, FileField {
    case server, network, every, seed

    static let required: [LinkFlapFields] = [.server, .network, .every]

    var schema: JSONValue {
        switch self {
        case .server: Schema.name("The server.")
        case .network: Schema.name("The network that it is on.")
        case .every: Schema.duration("How long it stays cut, and whole, in the middle.")
        case .seed: Schema.whole(1...1_000_000, "What its pauses are made from; the run's seed without it.")
        }
    }
}
