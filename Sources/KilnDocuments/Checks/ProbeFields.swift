import KilnDocuments
import KilnModel

/// The kinds of probe that are written as a map of one field.
enum ProbeFields: String, FileField {
    case http, tcp, exec, agent
    case cloudInit = "cloud-init"

    static let required: [ProbeFields] = []
    static let instead = ["https": "it is 'http' with 'tls: true'"]

    var schema: JSONValue {
        switch self {
        case .http: Schema.object(CheckedFields<HTTPFields>.self, "A request over HTTP has to be answered.")
        case .tcp:
            Schema.object(
                CheckedFields<TCPFields>.self,
                "After connecting and sending a text, an answer has to come."
            )
        case .exec:
            Schema.either(
                [StepSchema.command("The command."), Schema.object(CheckedFields<RunFields>.self, "With settings.")],
                "A command in the guest has to end with status 0."
            )
        case .agent: Schema.object(CheckFields.self, "The guest agent has to answer.")
        case .cloudInit:
            Schema.object(CheckedFields<CloudInitFields>.self, "cloud-init has to have ended without errors.")
        }
    }
}

/// The probes that are written as a bare word.
enum ProbeWord: String, CaseIterable {
    case agent
    case cloudInit = "cloud-init"
}

/// How a probe is written.
enum ProbeSchema {
    static var probe: JSONValue {
        Schema.titled(
            "probe",
            Schema.either(
                [Schema.words(ProbeWord.self, "A probe without settings."), StepSchema.oneField(of: ProbeFields.self)],
                "One condition, as a word or as a map of one of these fields."
            )
        )
    }

    static func list(_ about: String) -> JSONValue { Schema.list(of: probe, about) }
}

/// The fields that say how often a probe is asked, and how many answers count.
enum CheckFields: String, FileField {
    case every, timeout, successes, failures, hint

    static let required: [CheckFields] = []

    var schema: JSONValue {
        switch self {
        case .every: Schema.duration("The pause between two attempts, such as 1s.")
        case .timeout: Schema.duration("How long one attempt may take; 20s without it.")
        case .successes: Schema.whole(1...100, "How many attempts in a row must hold; 1 without it.")
        case .failures:
            Schema.whole(1...100, "After how many failed attempts in a row what held counts as lost; 3 without it.")
        case .hint: Schema.text("What to do where it does not hold; shown while it is waited for.")
        }
    }
}

/// The fields of a kind of probe, and those of every check.
typealias CheckedFields<Probe: FileField> = JoinedFields<Probe, CheckFields>

/// The fields of a kind of probe, and others that go with it.
enum JoinedFields<Probe: FileField, Check: FileField>: FileField {
    case probe(Probe)
    case check(Check)

    init?(rawValue: String) {
        if let field = Probe(rawValue: rawValue) {
            self = .probe(field)
        } else if let field = Check(rawValue: rawValue) {
            self = .check(field)
        } else {
            return nil
        }
    }

    var rawValue: String {
        switch self {
        case .probe(let field): field.rawValue
        case .check(let field): field.rawValue
        }
    }

    static var allCases: [JoinedFields] { Probe.allCases.map { .probe($0) } + Check.allCases.map { .check($0) } }

    static var required: [JoinedFields] { Probe.required.map { .probe($0) } }

    static var instead: [String: String] { Probe.instead }

    var schema: JSONValue {
        switch self {
        case .probe(let field): field.schema
        case .check(let field): field.schema
        }
    }
}

/// The fields of a `tcp` probe.
enum TCPFields: String, FileField {
    case port, send, expect

    static let required: [TCPFields] = [.port, .expect]

    var schema: JSONValue {
        switch self {
        case .port: Schema.name("A published port of the server.")
        case .send: Schema.text("What to send after connecting.")
        case .expect: Schema.text("What the answer has to contain.")
        }
    }
}

/// The fields of an `exec` probe with settings.
enum RunFields: String, FileField {
    case run

    static let required: [RunFields] = [.run]

    var schema: JSONValue { StepSchema.command("What to run in the guest.") }
}

/// The fields of a `cloud-init` probe with settings.
enum CloudInitFields: String, FileField {
    case allowDegraded = "allow-degraded"

    static let required: [CloudInitFields] = []

    var schema: JSONValue { Schema.bool("Whether recoverable errors are tolerated; false without it.") }
}

/// The fields of a hook that is written as a map.
enum HookFields: String, FileField {
    case run, deadline

    static let required: [HookFields] = [.run]

    var schema: JSONValue {
        switch self {
        case .run: StepSchema.command("What to run in the guest.")
        case .deadline: Schema.duration("How long it may take; 30s without it.")
        }
    }

    static func list(_ about: String) -> JSONValue {
        Schema.list(
            of: Schema.titled(
                "hook",
                Schema.either(
                    [StepSchema.command("The command."), Schema.object(HookFields.self, "With a deadline.")],
                    "A command, as it is or as a map of these fields."
                )
            ),
            about
        )
    }
}
