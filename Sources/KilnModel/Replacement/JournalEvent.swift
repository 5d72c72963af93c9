import Foundation

/// What is about to happen to a server, written before anything does.
public struct Intent: Sendable, Hashable {
    /// The number of the operation in the server's life, from 1.
    public let number: Int
    /// The generation that serves now; nothing for a server's first machine.
    public let from: Generation?
    /// The generation that is to serve.
    public let to: Generation
    /// The image of the new generation, as `name:version`.
    public let image: String
    /// The digest of that image.
    public let digest: ImageDigest
    /// How the new generation follows the old one; a first machine has nothing to follow.
    public let strategy: Strategy
    /// What becomes of the data on a revert.
    public internal(set) var dataOnRevert: DataOnRevert
    /// Whether an old machine that ignores the request to shut down is switched off.
    public let forceStop: Bool
    /// Whether the new generation passed a rehearsal just before.
    public let isRehearsed: Bool

    /// An intent from its parts.
    public init(
        number: Int,
        from: Generation?,
        to: Generation,
        image: String,
        digest: ImageDigest,
        strategy: Strategy = .stopFirst,
        dataOnRevert: DataOnRevert = .keep,
        forceStop: Bool = false,
        isRehearsed: Bool = false
    ) {
        self.number = number
        self.from = from
        self.to = to
        self.image = image
        self.digest = digest
        self.strategy = strategy
        self.dataOnRevert = dataOnRevert
        self.forceStop = forceStop
        self.isRehearsed = isRehearsed
    }
}

extension Intent: Codable {
    private enum CodingKeys: String, CodingKey {
        case number, from, to, image, digest, strategy, dataOnRevert, forceStop
        case isRehearsed = "rehearsed"
    }

    /// Decodes an intent; earlier versions knew one strategy, kept the data, and did not say whether it was rehearsed.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            number: try fields.decode(Int.self, forKey: .number),
            from: try fields.decodeIfPresent(Generation.self, forKey: .from),
            to: try fields.decode(Generation.self, forKey: .to),
            image: try fields.decode(String.self, forKey: .image),
            digest: try fields.decode(ImageDigest.self, forKey: .digest),
            strategy: try fields.decodeIfPresent(Strategy.self, forKey: .strategy) ?? .stopFirst,
            dataOnRevert: try fields.decodeIfPresent(DataOnRevert.self, forKey: .dataOnRevert) ?? .keep,
            forceStop: try fields.decodeIfPresent(Bool.self, forKey: .forceStop) ?? false,
            isRehearsed: try fields.decodeIfPresent(Bool.self, forKey: .isRehearsed) ?? false
        )
    }
}

/// Why a replacement turned back.
public struct TurnBack: Sendable, Hashable, Codable {
    /// Abort, revert or halt.
    public let direction: Direction
    /// The step that failed.
    public let step: Step
    /// The stable code of the error.
    public let code: ErrorCode
    /// What happened, for people.
    public let reason: String
    /// What caused it in the words of the layer below, such as the last lines of a console.
    public let cause: String?
    /// What to do next.
    public let hint: String?
    /// How long the step took until it failed; nothing where nobody measured it.
    public var milliseconds: Int?

    /// A turn from its parts.
    public init(
        direction: Direction,
        step: Step,
        code: ErrorCode,
        reason: String,
        cause: String? = nil,
        hint: String? = nil
    ) {
        self.direction = direction
        self.step = step
        self.code = code
        self.reason = reason
        self.cause = cause
        self.hint = hint
    }
}

/// One thing that happened to a server; the journal is a list of these.
public enum JournalEvent: Sendable, Hashable, Codable {
    /// A replacement, or the launch of the first generation, began.
    case began(Intent)
    /// A step is about to have side effects.
    case entered(Step)
    /// A step is done; it took this many milliseconds, and a machine had to be booted again so often.
    case completed(Step, milliseconds: Int, restarts: Int? = nil)
    /// A step failed, and the way back was taken.
    case turnedBack(TurnBack)
    /// A later command took up a replacement that was interrupted after its handover, or had halted.
    case resumed
    /// A person decided, after a halt, what becomes of the data on the way back.
    case decided(DataOnRevert)
    /// The replacement ended.
    case ended(Outcome, reason: String?)
    /// The user wants the server on or off; when it was started or restarted, its machine had to be booted again so often.
    case power(on: Bool, restarts: Int? = nil)
}

/// An event with its time.
public struct JournalRecord: Sendable, Hashable, Codable {
    /// When, by the wall clock; shown to people, never used in a decision.
    public let time: Date
    /// The process that wrote it.
    public let pid: Int32
    /// What happened.
    public let event: JournalEvent

    /// A record from its parts.
    public init(time: Date, pid: Int32, event: JournalEvent) {
        self.time = time
        self.pid = pid
        self.event = event
    }
}
