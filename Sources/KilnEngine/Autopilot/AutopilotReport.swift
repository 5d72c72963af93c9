import Foundation
import KilnModel

/// How an autopilot goes about it.
public struct AutopilotOptions: Sendable, Hashable {
    /// Whether it only tells what it would do.
    public var isDryRun: Bool
    /// Whether it looks once, does what follows, and ends; what it sees is taken to last then.
    public var isOnce: Bool
    /// With what it ends, or once a person has to do something for that server; nothing means that it goes on.
    public var until: AutopilotGoal?

    /// Options from their parts.
    public init(isDryRun: Bool = false, isOnce: Bool = false, until: AutopilotGoal? = nil) {
        self.isDryRun = isDryRun
        self.isOnce = isOnce
        self.until = until
    }
}

/// What has to be so of a server for an autopilot to have done its work.
public enum AutopilotGoal: Sendable, Hashable {
    /// All its members are ready.
    case ready(ServerID)
    /// It has so many members, and all of them serve.
    case members(ServerID, Int)
    /// All its members are ready, and each serves by another generation than by this one.
    case renewed(ServerID, since: [MemberID: Generation])

    /// The server.
    public var server: ServerID {
        switch self {
        case .ready(let server), .members(let server, _), .renewed(let server, _): server
        }
    }
}

/// One thing that an autopilot decided, or that came of it, with the figures.
public struct AutopilotLine: Sendable, Hashable, Encodable {
    /// When.
    public let time: Date
    /// The member; the first one where it is about all members of a server.
    public let member: MemberID
    /// What is done, in a word: an ``AutopilotAct``, `scale-out` or `scale-in`, or `serves`, `scaled`, `failed`, `left`,
    /// `given-up`, `wait`, `leave`.
    public let decision: String
    /// The same in a sentence.
    public let text: String
    /// Why something is done.
    public var cause: AutopilotCause?
    /// The generation that was seen so.
    public var generation: Generation?
    /// For how long it was seen so.
    public var seconds: Int?
    /// Which heal of the member in a row it is.
    public var attempt: Int?
    /// Which heal of the server within the time that its limit is for.
    public var used: Int?
    /// How many there may be.
    public var limit: Int?
    /// The code of what failed.
    public var code: ErrorCode?
    /// What to do next; the text has it, too.
    public var hint: String?
    /// Where members come or go, how many, and what led to it.
    public var scaling: AutoscaleMove?
    /// Whether it is only told.
    public var isDryRun = false

    init(_ member: MemberID, _ decision: String, _ text: String) {
        time = Date()
        self.member = member
        self.decision = decision
        self.text = text
    }

    private enum CodingKeys: String, CodingKey {
        case time, decision, text, cause, generation, seconds, attempt, used, limit, code, hint
        case from, to, serving, wanted, load, target, bound
        case member = "server"
        case isDryRun = "dry_run"
    }

    /// Encodes an object whose `server` is `LAB/NAME`, or `LAB/NAME.ORDINAL`.
    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(time, forKey: .time)
        try fields.encode(member.description, forKey: .member)
        try fields.encode(decision, forKey: .decision)
        try fields.encode(text, forKey: .text)
        try fields.encodeIfPresent(cause, forKey: .cause)
        try fields.encodeIfPresent(generation, forKey: .generation)
        try fields.encodeIfPresent(seconds, forKey: .seconds)
        try fields.encodeIfPresent(attempt, forKey: .attempt)
        try fields.encodeIfPresent(used, forKey: .used)
        try fields.encodeIfPresent(limit, forKey: .limit)
        try fields.encodeIfPresent(code, forKey: .code)
        try fields.encodeIfPresent(hint, forKey: .hint)
        try encodeScaling(&fields)
        if isDryRun { try fields.encode(true, forKey: .isDryRun) }
    }

    private func encodeScaling(_ fields: inout KeyedEncodingContainer<CodingKeys>) throws {
        guard let scaling else { return }
        try fields.encode(scaling.from, forKey: .from)
        try fields.encode(scaling.to, forKey: .to)
        try fields.encode(scaling.figures.serving, forKey: .serving)
        try fields.encode(scaling.figures.wanted, forKey: .wanted)
        // As people read it: no load is known more exactly.
        try fields.encode((scaling.figures.load * 10).rounded() / 10, forKey: .load)
        try fields.encode(scaling.figures.target.number, forKey: .target)
        try fields.encode(scaling.bound, forKey: .bound)
    }
}

/// What an autopilot did until it ended.
public struct AutopilotReport: Sendable, Hashable {
    /// How many things it did after which the member was ready, or the members were.
    public internal(set) var done = 0
    /// How many after which it was not.
    public internal(set) var failed = 0
    /// The members for which a person has to do something: they are given up or halted, or too many fell at once.
    public internal(set) var stuck: [MemberID] = []

    /// The exit code of a command that ends with this report.
    public var exit: ExitCode { !stuck.isEmpty ? .halted : failed > 0 ? .aborted : .done }
}

/// What an autopilot makes of a member, for listings.
public struct AutopilotStanding: Sendable, Hashable, Codable {
    /// The process of the lab's autopilot; nothing where there is none.
    public let pid: Int32?
    /// Whether the member was given up.
    public let isGivenUp: Bool

    /// A standing from its parts.
    public init(pid: Int32?, isGivenUp: Bool) {
        self.pid = pid
        self.isGivenUp = isGivenUp
    }

    private enum CodingKeys: String, CodingKey {
        case pid
        case isGivenUp = "given_up"
    }
}
