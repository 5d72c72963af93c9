import KilnDocuments
import KilnEngine
import KilnModel

/// What one of a server's volumes has to hold, as its guest has it.
struct ExpectedVolume: Sendable, Hashable {
    let name: Name
    /// The UUID of its file system.
    let uuid: ExpectedText?
    /// The sum over the files below its mount point.
    let content: ExpectedText?
    /// A snapshot that it has to have.
    var snapshot: Name?
    /// How long each look may take.
    let limit: Duration

    /// How long a look may take where nothing is said.
    static let usualLimit = Duration.seconds(60)

    /// What is wrong with it; nothing where it is as expected.
    func unmet(on server: MemberID, _ context: RunContext) async throws -> String? {
        if let uuid {
            guard let found = try await fileSystemID(on: server, context) else {
                return "a file system on volume \(name) expected, none that is ext4 found"
            }
            if let unmet = await uuid.unmet("volume \(name) with the UUID", by: found, context) { return unmet }
        }
        if let snapshot, try !snapshots(context).contains(snapshot) {
            return "volume \(name) with a snapshot \(snapshot) expected, none of that name found"
        }
        guard let content else { return nil }
        guard let found = try await digest(on: server, context) else {
            return "volume \(name) expected where the server has it, found that it is not mounted there"
        }
        return await content.unmet("volume \(name) with the content", by: found, context)
    }

    private func fileSystemID(on server: MemberID, _ context: RunContext) async throws -> String? {
        try await inTime(server) {
            try await context.engine.fileSystemID(of: name, on: server, within: context.scale.of(limit))
        }
    }

    private func snapshots(_ context: RunContext) throws -> [Name] {
        try context.engine.volumes.existing(lab: context.lab.name, name).snapshots.map(\.name)
    }

    private func digest(on server: MemberID, _ context: RunContext) async throws -> String? {
        try await inTime(server) {
            try await context.engine.contentDigest(of: name, on: server, within: context.scale.of(limit))?
                .description
        }
    }

    private func inTime<Found>(_ server: MemberID, _ body: () async throws -> Found) async throws -> Found {
        do { return try await body() } catch let error as KilnError where error.code == .guestCommandDeadline {
            // Not unmet: nobody knows what it holds.
            throw KilnError(
                error.code,
                "\(server.title): volume \(name) could not be read within \(limit.words)",
                hint: "give it more time: 'volumes: { \(name): { timeout: … } }'",
                exit: error.exit
            )
        }
    }
}

// MARK: - What is saved of volumes

extension ExpectedVolume {
    /// A volume of which nothing is expected.
    init(_ name: Name) {
        self.init(name: name, uuid: nil, content: nil, limit: ExpectedVolume.usualLimit)
    }

    private var uuidOutput: String { "volumes.\(name).uuid" }
    private var contentOutput: String { "volumes.\(name).content" }

    /// The names of what can be saved of it.
    var outputs: [String] { [uuidOutput, contentOutput] }

    /// How that is found out, by those names.
    func asked(on server: MemberID, _ context: RunContext) -> [String: @Sendable () async throws -> String] {
        [
            uuidOutput: {
                guard let found = try await fileSystemID(on: server, context) else {
                    throw Unmet("\(server.title): a file system on volume \(name) expected, none that is ext4 found")
                }
                return found
            },
            contentOutput: {
                guard let found = try await digest(on: server, context) else {
                    throw Unmet(
                        "\(server.title): volume \(name) can't be saved: it is not mounted where the server has it"
                    )
                }
                return found
            },
        ]
    }
}

// MARK: - Reading

extension ExpectedVolume {
    /// Those that a map tells of, by the names of the server's volumes.
    static func all(in value: Value, _ reader: StepReader, of server: [Name]) -> [ExpectedVolume] {
        guard let entries = value.entries(of: "volumes and what is expected of them") else { return [] }
        if entries.isEmpty { value.problem("an empty map asserts nothing: name a volume, or leave the field out") }
        return entries.compactMap { entry, value in
            let key = value.placed(at: entry.position)
            let name = key.reference("volume of this server", text: entry.key, among: server)
            return ExpectedVolume(value, reader, named: name)
        }
    }

    private init?(_ value: Value, _ reader: StepReader, named name: Name?) {
        guard let fields = Fields<ExpectedVolumeFields>(value, "a map with 'uuid', 'content' or 'snapshot'") else {
            return nil
        }
        if fields.hasOnly([.timeout]) {
            value.problem("nothing is expected of it; add 'uuid', 'content' or 'snapshot'")
        }
        let uuid = fields[.uuid].flatMap { ExpectedText($0, reader, ExpectedVolume.uuidForm) }
        let content = fields[.content].flatMap { ExpectedText($0, reader, ExpectedVolume.contentForm) }
        let snapshot = fields[.snapshot]?.newName()
        let limit = fields[.timeout].map { $0.duration() } ?? ExpectedVolume.usualLimit
        guard let name, let limit else { return nil }
        self.init(name: name, uuid: uuid, content: content, snapshot: snapshot, limit: limit)
    }

    private static let uuidForm = TextForm(
        "a UUID in small letters",
        pattern: "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
    ) { $0.wholeMatch(of: /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/) != nil }

    private static let contentForm = TextForm(
        "sha256: and 64 hexadecimal digits",
        pattern: "^sha256:[0-9a-f]{64}$"
    ) { $0.wholeMatch(of: /sha256:[0-9a-f]{64}/) != nil }
}

/// The fields of what is expected of a volume.
enum ExpectedVolumeFields: String, FileField {
    case uuid, content, snapshot, timeout

    static let required: [ExpectedVolumeFields] = []

    var schema: JSONValue {
        switch self {
        case .uuid: ExpectedText.schema("The UUID of its file system, as the guest has it on the disk.")
        case .content: ExpectedText.schema("The sum over the files below its mount point.")
        case .snapshot: Schema.name("A snapshot of that name, which it has.")
        case .timeout: Schema.duration("How long a look at it may take; 60s without it.")
        }
    }
}
