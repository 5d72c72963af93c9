import KilnEngine
import KilnModel

/// As much of an HTTP answer as a probe looks at.
struct HTTPAnswer: Sendable, Equatable {
    /// How much of a body is read, in bytes.
    static let bodyLimit = 1 << 20
    /// How much of all headers is read, in bytes.
    static let headerLimit = 64 << 10

    /// The status.
    let status: Int
    /// Where it says that the thing is, if it does.
    let location: String?
    /// The body, up to its limit.
    let body: [UInt8]

    /// What the answer says of the probe.
    func finding(for probe: HTTPProbe) -> ProbeFinding {
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
    static func excerpt(_ bytes: [UInt8]) -> String { Name.quoted(String(decoding: bytes.prefix(240), as: UTF8.self)) }
}
