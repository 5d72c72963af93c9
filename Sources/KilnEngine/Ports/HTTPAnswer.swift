import KilnModel

/// As much of an HTTP answer as is looked at; hostile bytes.
public struct HTTPAnswer: Sendable, Hashable {
    /// How much of a body is read, in bytes.
    public static let bodyLimit = 1 << 20
    /// How much of all headers is read, in bytes.
    public static let headerLimit = 64 << 10

    /// The status.
    public let status: Int
    /// The fields of the header by their names in lower case; of one that comes more than once, the last.
    public let headers: [String: String]
    /// The body, up to its limit.
    public let body: [UInt8]

    /// An answer from its parts.
    public init(status: Int, headers: [String: String] = [:], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// Where it says that the thing is, if it does.
    private var location: String? { headers["location"] }

    /// What the answer says of the probe.
    public func finding(for probe: HTTPProbe) -> ProbeFinding {
        guard probe.status.contains(status) else {
            let there = location.map { ", which leads to \(HTTPAnswer.excerpt(Array($0.utf8)))" } ?? ""
            let why = location == nil ? "" : "; a probe follows no redirect"
            return .notYet("HTTP status \(status)\(there), expected \(probe.status)\(why)")
        }
        guard let text = probe.contains, body.firstRange(of: Array(text.utf8)) == nil else { return .holds }
        let part = body.count < HTTPAnswer.bodyLimit ? "it" : "its first MiB"
        return .notYet("the body is \(HTTPAnswer.excerpt(body)), expected \(Name.quoted(text)) in \(part)")
    }

    /// What a peer said, as far as it is worth telling.
    public static func excerpt(_ bytes: [UInt8]) -> String {
        Name.quoted(String(decoding: bytes.prefix(240), as: UTF8.self))
    }
}
