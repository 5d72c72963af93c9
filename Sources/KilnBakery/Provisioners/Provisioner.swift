import KilnDocuments
import KilnModel

/// One step of a bake: it changes the tree in a room.
///
/// A new one is a file here and a line in ``ProvisionerKind/all``.
protocol Provisioner: Sendable {
    /// The kind and what it is about, in a few words: `packages curl, sqlite3`.
    var summary: String { get }
    /// How long it may take.
    var timeout: Duration { get }
    /// Whether its programs reach the network.
    var network: Bool { get }
    /// Whether it may have to fetch a tool that the tree lacks.
    var fetchesTool: Bool { get }
    /// Why it can't be done in a machine that runs, if it can't.
    var needsTree: String? { get }
    /// The files and folders of the recipe that it uses; it finds no others.
    var files: [String] { get }
    /// The folders beside the recipe's own that it uses.
    var shared: [String] { get }
    /// The image of which it takes files, if it takes any; its tree is ``RoomPlaces/image``.
    var image: ImageReference? { get }
    /// Adds its arguments, as far as they decide what comes out.
    ///
    /// - Throws: `KilnError` with code `file.unreadable`.
    func describe(into key: inout KeyMaterial, _ recipe: Recipe, _ version: Recipe.Version) throws
    /// Does it.
    ///
    /// - Throws: `KilnError`; `CancellationError`.
    func provision(_ room: any BuildRoom, _ bake: BakeContext) async throws
}

extension Provisioner {
    var shared: [String] { [] }
    var image: ImageReference? { nil }
    var fetchesTool: Bool { false }
    var needsTree: String? { nil }
}

/// A kind of provisioner, as recipes write it: a word, what its value looks like, and how that is read.
struct ProvisionerKind: Sendable {
    /// The field's name.
    let word: String
    /// The JSON Schema of its value.
    let schema: JSONValue
    /// Reads the value; nothing after it has reported why.
    let decode: @Sendable (Value, RecipeFolder) -> (any Provisioner)?

    /// All kinds.
    static let all: [ProvisionerKind] = [
        PackagesProvisioner.kind, FilesProvisioner.kind, ShellProvisioner.kind, CFEngineProvisioner.kind,
        PuppetProvisioner.kind, AnsibleProvisioner.kind, ChefProvisioner.kind,
    ]

    /// How one entry of `provision` is written.
    static var entry: JSONValue {
        let properties = all.map { ($0.word, $0.schema) }
        return Schema.titled(
            "provisioner",
            [
                "type": "object", "additionalProperties": false, "minProperties": 1, "maxProperties": 1,
                "description": "One step: a map of one of these fields.",
                "properties": .object(Dictionary(uniqueKeysWithValues: properties)),
            ]
        )
    }

    /// Reads one entry of `provision`.
    static func provisioner(_ value: Value, _ folder: RecipeFolder) -> (any Provisioner)? {
        let words = all.map(\.word)
        guard let entries = value.entries(of: "one of \(words.joined(separator: ", "))") else { return nil }
        guard entries.count == 1, let (entry, value) = entries.first else {
            value.mismatch("one provisioner per element of the list: a map of one of \(words.joined(separator: ", "))")
            return nil
        }
        guard let kind = all.first(where: { $0.word == entry.key }) else {
            let suggestion = Suggestion.text(for: entry.key, among: words)
            value.placed(at: entry.position).problem(
                "unknown provisioner\(suggestion); expected one of \(words.joined(separator: ", "))"
            )
            return nil
        }
        return kind.decode(value, folder)
    }
}

/// The fields that every provisioner has.
enum StepFields: String, FileField {
    case timeout, network

    static let required: [StepFields] = []

    var schema: JSONValue {
        switch self {
        case .timeout: Schema.duration("How long it may take; 30m without it.")
        case .network: Schema.bool("Whether its programs reach the network.")
        }
    }
}

/// How long a step may take, and whether it reaches the network.
struct StepSettings: Sendable, Hashable {
    static let usualTimeout = Duration.seconds(1_800)

    var timeout = StepSettings.usualTimeout
    var network: Bool

    /// Reads the fields that every provisioner has; nothing after it has reported why.
    static func read(_ field: (StepFields) -> Value?, network usual: Bool = false) -> StepSettings? {
        let timeout = field(.timeout).map { $0.duration() } ?? usualTimeout
        let network = field(.network).map { $0.bool() } ?? usual
        guard let timeout, let network else { return nil }
        return StepSettings(timeout: timeout, network: network)
    }
}
