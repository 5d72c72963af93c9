/// A request over HTTP to a published port, and what has to come back.
public struct HTTPProbe: Sendable, Hashable {
    /// What is asked for.
    public enum Method: String, Sendable, Hashable, Codable, CaseIterable {
        case get = "GET"
        case head = "HEAD"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
        case options = "OPTIONS"
    }

    /// How a request goes over TLS.
    public struct TLS: Sendable, Hashable, Codable {
        /// Whether the certificate has to be one for the name, signed by who is trusted.
        public let isVerified: Bool
        /// The certificates of those who are trusted, as PEM; nothing means those whom the host trusts.
        public let authorities: String?
        /// The name that is asked for, and for which the certificate has to be.
        public let serverName: String

        /// How a request goes over TLS, from its parts.
        public init(isVerified: Bool = true, authorities: String? = nil, serverName: String = "localhost") {
            self.isVerified = isVerified
            self.authorities = authorities
            self.serverName = serverName
        }
    }

    /// The published port.
    public let port: Name
    /// The path with its query, from `/`.
    public let path: String
    /// What is asked for.
    public let method: Method
    /// Fields of the header, in place of the usual ones of their names.
    public let headers: [String: String]
    /// What is sent.
    public let body: String?
    /// How it goes over TLS; nothing means that it does not.
    public let tls: TLS?
    /// The expected statuses.
    public let status: HTTPStatuses
    /// What the body of the answer has to contain.
    public let contains: String?

    /// A request from its parts.
    public init(
        port: Name,
        path: String,
        method: Method = .get,
        headers: [String: String] = [:],
        body: String? = nil,
        tls: TLS? = nil,
        status: HTTPStatuses = HTTPStatuses(200),
        contains: String? = nil
    ) {
        self.port = port
        self.path = path
        self.method = method
        self.headers = headers
        self.body = body
        self.tls = tls
        self.status = status
        self.contains = contains
    }
}

// MARK: - What can be sent

extension HTTPProbe {
    /// Whether a text is a path that means itself in a request: `/` and printable ASCII, up to 1024 of them.
    public static func isPath(_ text: String) -> Bool {
        text.hasPrefix("/") && text.utf8.count <= 1024 && text.utf8.allSatisfy { (0x21...0x7e).contains($0) }
    }

    /// Whether a text is the name of a field of the header.
    ///
    /// https://www.rfc-editor.org/rfc/rfc9110#name-tokens
    public static func isHeaderName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 128 && text.utf8.allSatisfy(token.contains)
    }

    private static let token = Set(
        "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8
    )

    /// Whether a text can be the value of a field of the header: one line without control characters, of up to 8 KiB.
    public static func isHeaderValue(_ text: String) -> Bool {
        text.utf8.count <= 8192 && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f || $0 == "\t" }
    }

    /// Whether nothing of it could be taken for more than one request.
    public var isSendable: Bool {
        HTTPProbe.isPath(path)
            && headers.allSatisfy { HTTPProbe.isHeaderName($0.key) && HTTPProbe.isHeaderValue($0.value) }
    }
}

extension HTTPProbe: Codable {
    private enum CodingKeys: String, CodingKey { case port, path, method, headers, body, tls, status, contains }

    /// Decodes a request; what an earlier version did not write has its default.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            port: try fields.decode(Name.self, forKey: .port),
            path: try fields.decode(String.self, forKey: .path),
            method: try fields.decodeIfPresent(Method.self, forKey: .method) ?? .get,
            headers: try fields.decodeIfPresent([String: String].self, forKey: .headers) ?? [:],
            body: try fields.decodeIfPresent(String.self, forKey: .body),
            tls: try fields.decodeIfPresent(TLS.self, forKey: .tls),
            status: try fields.decode(HTTPStatuses.self, forKey: .status),
            contains: try fields.decodeIfPresent(String.self, forKey: .contains)
        )
    }
}
