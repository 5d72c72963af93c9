import KilnDocuments
import KilnModel

/// How much of a server's root may differ from its image.
enum ExpectedDrift: String, CaseIterable {
    /// Nothing outside its ephemeral paths.
    case nothing = "none"
}

/// The fields of an `expect` step.
enum ExpectFields: String, FileField {
    case server, generation, latest, ready, image, attested, channel, configuration, http, checks, console, drift,
        hidden
    case volumes, cloned
    case eventually, always, never
    case instanceID = "instance-id"
    case bootID = "boot-id"
    case hostKey = "host-key"
    case readyWithin = "ready-within"
    case unavailableAtMost = "unavailable-at-most"
    case failedRequestsAtMost = "failed-requests-at-most"

    static let required: [ExpectFields] = [.server]

    /// Those that something is expected by.
    static var things: [ExpectFields] {
        allCases.filter { ![.server, .eventually, .always, .never].contains($0) }
    }

    var schema: JSONValue {
        switch self {
        case .server: Schema.member("The server.")
        case .generation: Schema.whole(1...1_000_000, "The generation that serves.")
        case .latest: Schema.object(ExpectedLatestFields.self, "Its latest replacement, as its journal tells it.")
        case .ready: Schema.bool("Whether the probes of its ready list hold.")
        case .image: Schema.image("The image of the generation that serves.")
        case .http: ExpectedHTTP.schema("What it answers.")
        case .checks: CheckSchema.list(ScenarioChecks.self, "What has to hold in it.")
        case .attested: Schema.bool("Whether that image passed its tests, and is not revoked.")
        case .channel: Schema.name("A channel of that image, which has to point to it.")
        case .cloned: Schema.bool("Whether its machine was cloned, and has not booted since.")
        case .configuration:
            Schema.words(
                ExpectedConfiguration.self,
                "Whether its configuration passed with just that image: it was rehearsed, or its verify list held."
            )
        case .console: Schema.patterns("What its console said since it was made; all of it holds.")
        case .hidden: Schema.words(ExpectedDrift.self, "none: no volume hides a file of its root.")
        case .instanceID: ExpectedText.schema("cloud-init's id of its machine.")
        case .bootID: ExpectedText.schema("The id that its kernel has had since it booted.")
        case .hostKey: ExpectedText.schema("The fingerprint of its SSH server's key, or none.")
        case .readyWithin:
            Schema.duration("How long its machine may have taken from its last start until it was ready.")
        case .volumes:
            Schema.named(
                Schema.object(ExpectedVolumeFields.self, "What one of them holds."),
                atLeast: 1,
                "What its volumes hold, by their names."
            )
        case .eventually: TestFields.eventually.schema
        case .always: TestFields.always.schema
        case .never: TestFields.never.schema
        case .unavailableAtMost: Schema.duration("How long nobody may have answered while it was last replaced.")
        case .failedRequestsAtMost:
            Schema.whole(0...1_000_000, "How many requests may have failed while it was last replaced.")
        case .drift: Schema.words(ExpectedDrift.self, "none: its root is as its image has it.")
        }
    }
}
