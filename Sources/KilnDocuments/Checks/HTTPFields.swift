import KilnModel

/// The fields of an `http` probe or expectation.
enum HTTPFields<Place: CheckPlace>: String, FileField {
    case port, path, method, headers, body, tls, status, contains

    static var required: [HTTPFields] { [.port, .path] }

    static var instead: [String: String] {
        [
            "scheme": "https is 'tls: true'", "https": "it is 'tls: true'", "url": "it is 'port' and 'path'",
            "host": "it is 'headers: {Host: NAME}'", "verify": "it is a field of 'tls'", "ca": "it is a field of 'tls'",
            "server-name": "it is a field of 'tls'",
        ]
    }

    var schema: JSONValue {
        switch self {
        case .port: Place.port
        case .path: Schema.urlPath("The path to ask for, from '/'.")
        case .method: Schema.words(HTTPProbe.Method.self, "GET without it.")
        case .headers:
            [
                "type": "object", "additionalProperties": ["type": "string"],
                "propertyNames": ["pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"],
                "description": "Fields of the request's header, by name.",
            ]
        case .body: Schema.text("What to send, with another method than GET and HEAD.")
        case .tls:
            Schema.either(
                [
                    ["const": true, "description": "To ask over https."],
                    Schema.object(TLSFields.self, "To ask over https, with settings."),
                ],
                "Whether to ask over https; not without it."
            )
        case .status:
            Schema.either(
                [Self.oneStatus, Schema.list(of: Self.oneStatus, "Any of some.")],
                "200 without it."
            )
        case .contains: Schema.text("What the body of the answer has to contain.")
        }
    }

    private static var oneStatus: JSONValue {
        Schema.either(
            [Schema.whole(100...599, "A status."), Schema.pattern("^[1-5]xx$", "A class of statuses.")],
            "A status, or a class such as 2xx."
        )
    }
}

/// The fields of `tls` of an `http` probe.
enum TLSFields: String, FileField {
    case verify, ca
    case serverName = "server-name"

    static let required: [TLSFields] = []

    var schema: JSONValue {
        switch self {
        case .verify: Schema.bool("Whether the certificate has to be trusted and for the name; true without it.")
        case .ca:
            Schema.text(
                "A PEM file, beside this one, with who may sign the certificate; those whom the host trusts without it."
            )
        case .serverName: Schema.pattern(TLSFields.namePattern, "Whom the certificate is for; localhost without it.")
        }
    }

    static let namePattern = "^[0-9A-Za-z]([0-9A-Za-z.-]{0,251}[0-9A-Za-z])?$"
}

extension Schema {
    static func urlPath(_ about: String) -> JSONValue { titled("path", pattern("^/[!-~]*$", about)) }
}

/// The field that says how long an answer may take that is asked for once.
package enum AttemptFields: String, FileField {
    case timeout

    package static let required: [AttemptFields] = []

    package var schema: JSONValue { CheckFields.timeout.schema }
}

/// The fields of an answer that is expected of a server now.
package enum ExpectedHTTP {
    private typealias Own = JoinedFields<HTTPFields<ServerChecks>, AttemptFields>

    /// The schema of such an answer.
    package static func schema(_ about: String) -> JSONValue { Schema.object(Own.self, about) }

    /// The schema of such an answer, with other fields beside its own.
    package static func schema<Other: FileField>(_ about: String, besides _: Other.Type) -> JSONValue {
        Schema.object(JoinedFields<Own, Other>.self, about)
    }

    /// Reads the request, what has to come back, and how long that may take.
    package static func read(_ value: Value, ports: [Name]) -> (probe: HTTPProbe, timeout: Duration)? {
        guard let fields = Fields<Own>(value, "a map with 'port' and 'path'") else { return nil }
        return read({ fields[$0] }, ports)
    }

    /// The same, with other fields beside its own, which tell of whom it is expected.
    ///
    /// - Parameter place: reads the others; it returns with what they say the ports that can be meant.
    package static func read<Other: FileField, Place>(
        _ value: Value,
        besides _: Other.Type,
        place: ((Other) -> Value?) -> (Place, ports: [Name])?
    ) -> (place: Place, probe: HTTPProbe, timeout: Duration)? {
        guard let fields = Fields<JoinedFields<Own, Other>>(value, "a map with 'port' and 'path'") else { return nil }
        guard let (place, ports) = place({ fields[.check($0)] }) else { return nil }
        return read({ fields[.probe($0)] }, ports).map { (place, $0.probe, $0.timeout) }
    }

    private static func read(_ field: (Own) -> Value?, _ ports: [Name]) -> (probe: HTTPProbe, timeout: Duration)? {
        let probe = HTTPDecoder(place: ServerChecks(ports: ports)).probe { field(.probe($0)) }
        let timeout = field(.check(.timeout)).map { $0.duration() } ?? Check.usualTimeout
        guard let probe, let timeout else { return nil }
        return (probe, timeout)
    }
}
