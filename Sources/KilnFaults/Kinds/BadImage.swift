import KilnDocuments
import KilnEngine
import KilnModel

/// `bad-image`: what a replacement made of an image is spoiled before the new machine starts from it.
///
/// The image itself stays as it is: only the new machine's own layer over it changes.
struct BadImage: FaultAction {
    static let kind = FaultKind(
        word: "bad-image",
        isOfReplacement: true,
        about:
            "Spoils the root disk of the machine that a replacement brings; write it between prepare.after and start.before.",
        fields: { Schema.object(BadImageFields.self, $0) },
        decode: { BadImage($0, $1) }
    )

    /// What is wrong with it.
    enum Flaw: String, Sendable, Hashable, CaseIterable {
        /// It ends soon, like a download that broke off.
        case truncated
        /// It has no beginning: neither a partition table nor a file system.
        case unbootable
    }

    private let server: Name
    private let flaw: Flaw

    init?(_ value: Value, _ reader: FaultReader) {
        guard let fields = Fields<BadImageFields>(value, "a map with 'server' and 'how'"),
            let server = reader.server(fields[.server]), let flaw = fields[.how]?.word(Flaw.self)
        else { return nil }
        self.server = server.name
        self.flaw = flaw
    }

    var summary: String { "bad-image \(flaw.rawValue) for \(server)" }
    var servers: [Name] { [server] }
    var isMomentary: Bool { true }

    func strike(_ ground: FaultGround) async throws -> StruckFault {
        let machine = try ground.unstarted(server)
        let (disk, part, host) = (ground.engine.rootOverlay(machine), part, ground.host)
        try await host.erase(part, of: disk)
        return StruckFault(proof: {
            try await host.isErased(part, of: disk) ? "nothing is left of \(part.words) of the root of \(machine)" : nil
        })
    }

    private var part: DiskPart {
        switch flaw {
        case .truncated: .rest
        case .unbootable: .beginning
        }
    }
}

/// The fields of `bad-image`.
enum BadImageFields: String, FileField {
    case server, how

    static let required: [BadImageFields] = [.server, .how]

    var schema: JSONValue {
        switch self {
        case .server: Schema.name("The server that is replaced.")
        case .how:
            Schema.words(BadImage.Flaw.self, "What is wrong: it ends after 16 MiB, or its first 16 MiB are missing.")
        }
    }
}
