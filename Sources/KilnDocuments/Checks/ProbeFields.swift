import KilnModel

/// The kinds of probe that are written as a map of one field.
enum ProbeFields<Place: CheckPlace>: String, FileField {
    case http, tcp, exec, agent
    case cloudInit = "cloud-init"
    case file, package, service, port, process, user, group, command, mount, not, any, all

    static var required: [ProbeFields] { [] }
    static var instead: [String: String] { ["https": "it is 'http' with 'tls: true'"] }

    /// The kinds that can be turned round: for the others there is no moment at which they are known not to hold.
    static var negatable: [ProbeFields] { allCases.filter { ![.agent, .cloudInit, .not].contains($0) } }

    var schema: JSONValue {
        switch self {
        case .http: object(HTTPFields<Place>.self, "A request over HTTP has to be answered.")
        case .tcp: object(TCPFields<Place>.self, "After connecting and sending a text, an answer has to come.")
        case .exec:
            Schema.either(
                [Schema.command("The command."), object(RunFields.self, "With settings.")],
                "A command in the guest has to end with status 0."
            )
        case .agent: Schema.object(Place.Settings.self, "The guest agent has to answer.")
        case .cloudInit: object(CloudInitFields.self, "cloud-init has to have ended without errors.")
        case .not: Self.negation
        case .any: several("One of the probes has to hold; they are asked in order.")
        case .all: several("Each of the probes has to hold.")
        default: resource
        }
    }

    private var resource: JSONValue {
        switch self {
        case .package: object(PackageResourceFields.self, "A Debian package; told without a running machine.")
        case .service: object(ServiceResourceFields.self, "A unit of systemd.")
        case .port: object(PortResourceFields.self, "Something in the guest has to listen.")
        case .process: object(ProcessResourceFields.self, "Processes of a name.")
        case .user: object(UserResourceFields.self, "An account in /etc/passwd; told without a running machine.")
        case .group: object(GroupResourceFields.self, "A group in /etc/group; told without a running machine.")
        case .command: object(CommandResourceFields.self, "What a command in the guest says, and how it ends.")
        case .mount: object(MountResourceFields.self, "What is mounted at a path.")
        default: object(FileResourceFields.self, "What lies at a path; told without a running machine.")
        }
    }

    private func several(_ about: String) -> JSONValue {
        Schema.either([ProbeParts.schema("The probes."), object(SeveralFields.self, "With settings.")], about)
    }

    private func object<Field: FileField>(_: Field.Type, _ about: String) -> JSONValue {
        Schema.object(JoinedFields<Field, Place.Settings>.self, about)
    }

    private static var negation: JSONValue {
        ProbeParts.one(
            of: negatable.map(\.rawValue),
            "A probe that must not hold, such as 'not: { package: { name: telnet } }'."
        )
    }
}

/// Probes within probes: without the fields of each kind, which stand where the kind itself does.
enum ProbeParts {
    /// A map of one of these kinds.
    static func one(of kinds: [String], _ about: String) -> JSONValue {
        [
            "type": "object", "minProperties": 1, "maxProperties": 1,
            "propertyNames": ["enum": .array(kinds.map { .string($0) })], "description": .string(about),
        ]
    }

    /// A list of probes of all kinds.
    static func schema(_ about: String) -> JSONValue {
        let kinds = ProbeFields<ServerChecks>.allCases.map(\.rawValue)
        let word = Schema.words(ProbeWord.self, "A probe without settings.")
        return Schema.list(of: Schema.either([word, one(of: kinds, "A probe.")], "A probe."), about)
    }
}

/// The probes that are written as a bare word.
enum ProbeWord: String, CaseIterable {
    case agent
    case cloudInit = "cloud-init"
}

/// How checks are written.
package enum CheckSchema {
    /// A list of checks, as the place has them.
    package static func list<Place: CheckPlace>(_: Place.Type, _ about: String) -> JSONValue {
        Schema.list(of: check(Place.self), about)
    }

    private static func check<Place: CheckPlace>(_: Place.Type) -> JSONValue {
        Schema.titled(
            Place.title,
            Schema.either(
                [
                    Schema.words(ProbeWord.self, "A probe without settings."),
                    Schema.oneField(of: ProbeFields<Place>.self),
                ],
                "One condition, as a word or as a map of one of these fields."
            )
        )
    }
}

extension Schema {
    /// A map of exactly one of the fields.
    package static func oneField<Field: FileField>(of _: Field.Type) -> JSONValue {
        let properties = Field.allCases.map { ($0.rawValue, $0.schema) }
        return [
            "type": "object", "additionalProperties": false, "minProperties": 1, "maxProperties": 1,
            "properties": .object(Dictionary(uniqueKeysWithValues: properties)),
        ]
    }

    /// A command in a guest.
    package static func command(_ about: String) -> JSONValue {
        titled(
            "command",
            either(
                [
                    text("A command line, run by /bin/sh -c."),
                    list(of: ["type": "string"], "Program and arguments."),
                ],
                about
            )
        )
    }
}

/// The fields of a `tcp` probe.
enum TCPFields<Place: CheckPlace>: String, FileField {
    case port, send, expect

    static var required: [TCPFields] { [.port, .expect] }

    var schema: JSONValue {
        switch self {
        case .port: Place.port
        case .send: Schema.text("What to send after connecting.")
        case .expect: Schema.text("What the answer has to contain.")
        }
    }
}

/// The fields of an `exec` probe with settings.
enum RunFields: String, FileField {
    case run

    static let required: [RunFields] = [.run]

    var schema: JSONValue { Schema.command("What to run in the guest.") }
}

/// The fields of a `cloud-init` probe with settings.
enum CloudInitFields: String, FileField {
    case allowDegraded = "allow-degraded"

    static let required: [CloudInitFields] = []

    var schema: JSONValue { Schema.bool("Whether recoverable errors are tolerated; false without it.") }
}
