import KilnModel

/// The kinds of probe that are written as a map of one field.
enum ProbeFields: String, FileField {
    case http, tcp, exec
    case cloudInit = "cloud-init"

    static let required: [ProbeFields] = []

    var schema: JSONValue {
        switch self {
        case .http: Schema.object(HTTPFields.self, "An HTTP GET has to be answered.")
        case .tcp: Schema.object(TCPFields.self, "After connecting and sending a text, an answer has to come.")
        case .exec: StepSchema.command("A command in the guest has to end with status 0.")
        case .cloudInit: Schema.object(CloudInitFields.self, "cloud-init has to have ended.")
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
        Schema.either(
            [Schema.words(ProbeWord.self, "A probe without settings."), StepSchema.oneField(of: ProbeFields.self)],
            "One condition of readiness."
        )
    }
}

/// The fields of an `http` probe or expectation.
enum HTTPFields: String, FileField {
    case port, path, status, contains

    static let required: [HTTPFields] = [.port, .path]

    var schema: JSONValue {
        switch self {
        case .port: Schema.name("A published port of the server.")
        case .path: Schema.urlPath("The path to get, from '/'.")
        case .status: Schema.whole(100...599, "The expected status; 200 without it.")
        case .contains: Schema.text("What the body has to contain.")
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

/// The fields of a `cloud-init` probe with settings.
enum CloudInitFields: String, FileField {
    case allowDegraded = "allow-degraded"

    static let required: [CloudInitFields] = [.allowDegraded]

    var schema: JSONValue { Schema.bool("Whether recoverable errors are tolerated.") }
}
