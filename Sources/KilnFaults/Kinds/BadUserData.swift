import KilnDocuments
import KilnEngine
import KilnModel

/// `bad-user-data`: the new machine of a replacement gets a seed that its cloud-init can't do anything with.
struct BadUserData: FaultAction {
    static let kind = FaultKind(
        word: "bad-user-data",
        isOfReplacement: true,
        about:
            "Spoils the user-data of the machine that a replacement brings; write it between prepare.after and start.before.",
        fields: { Schema.object(BadUserDataFields.self, $0) },
        decode: { BadUserData($0, $1) }
    )

    /// What is wrong with it.
    enum Flaw: String, Sendable, Hashable, CaseIterable {
        /// It is no YAML.
        case unreadable
        /// Its first command never ends, so the machine is never ready.
        case endless
    }

    private let server: Name
    private let flaw: Flaw

    init?(_ value: Value, _ reader: FaultReader) {
        guard let fields = Fields<BadUserDataFields>(value, "a map with 'server' and 'how'"),
            let server = reader.server(fields[.server]), let flaw = fields[.how]?.word(Flaw.self)
        else { return nil }
        self.server = server.name
        self.flaw = flaw
    }

    var summary: String { "bad-user-data \(flaw.rawValue) for \(server)" }
    var servers: [Name] { [server] }
    var isMomentary: Bool { true }

    func strike(_ ground: FaultGround) async throws -> StruckFault {
        let machine = try ground.unstarted(server)
        let files = ["meta-data": metaData(machine), "user-data": userData].mapValues { Array($0.utf8) }
        try await ground.parts.seeds.writeSeed(files, to: ground.engine.seed(machine))
        let holders = ground.parts.holders
        let disk = ground.engine.rootOverlay(machine)
        return StruckFault(proof: {
            // One that was started meanwhile may have read the old one.
            try holders.holders(of: disk).isEmpty ? "the seed of \(machine) was written anew before its start" : nil
        })
    }

    private func metaData(_ machine: MachineID) -> String {
        #"{"instance-id": "spoiled-\#(machine.generation)", "local-hostname": "\#(server)"}"#
    }

    private var userData: String {
        switch flaw {
        case .unreadable: "#cloud-config\nruncmd: [[\n"
        case .endless: "#cloud-config\n" + #"{"bootcmd": [["sleep", "86400"]]}"# + "\n"
        }
    }
}

/// The fields of `bad-user-data`.
enum BadUserDataFields: String, FileField {
    case server, how

    static let required: [BadUserDataFields] = [.server, .how]

    var schema: JSONValue {
        switch self {
        case .server: Schema.name("The server that is replaced.")
        case .how:
            Schema.words(BadUserData.Flaw.self, "What is wrong: it can't be read, or its first command never ends.")
        }
    }
}
