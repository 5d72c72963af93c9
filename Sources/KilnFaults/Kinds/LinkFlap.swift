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
    private let seed: Int

    init?(_ value: Value, _ reader: FaultReader) {
        guard let fields = Fields<LinkFlapFields>(value, "a map with 'server', 'network' and 'every'") else {
            return nil
        }
        let link = LinkChange(server: fields[.server], network: fields[.network], reader)
        let every = fields[.every]?.duration()
        let seed = fields[.seed].map { $0.whole(in: 1...1_000_000) } ?? 1
        guard let link, let every, let seed else { return nil }
        self.link = link
        self.every = every
        self.seed = seed
    }

    var summary: String { "link-flap \(link.words), seed \(seed)" }
    var servers: [Name] { [link.server] }

    func strike(_ ground: FaultGround) async throws -> StruckFault {
        let (network, networks, links) = (ground.id(network: link.network), ground.parts.networks, ground.links)
        let before = try await NetworkCount.status(of: network, ground)
        let struck = try await links.begin(LinkFault(isCut: true), of: link.server, on: network)
        let flapping = Task { [every, seed] in
            var pauses = PauseSequence(around: every, seed: UInt64(seed))
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

/// Pauses from a half to one and a half of a duration: the same for the same seed.
struct PauseSequence: Sendable {
    private let middle: Duration
    private var state: UInt64

    init(around middle: Duration, seed: UInt64) {
        self.middle = middle
        state = seed
    }

    /// The next one, by SplitMix64.
    mutating func next() -> Duration {
        state &+= 0x9e37_79b9_7f4a_7c15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
        bits ^= bits >> 31
        return middle * (0.5 + Double(bits >> 11) / Double(UInt64(1) << 53))
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
        case .seed: Schema.whole(1...1_000_000, "What its pauses are made from; 1 without it.")
        }
    }
}
