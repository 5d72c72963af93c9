/// A probe with how often it is asked, and how many answers count.
public struct Check: Sendable, Hashable, CustomStringConvertible {
    /// For how long a check may fail before that counts.
    public struct Eventually: Sendable, Hashable, Codable {
        /// How long it may fail.
        public let within: Duration
        /// The pause between two attempts.
        public let every: Duration

        /// A time from its parts.
        public init(within: Duration, every: Duration = .seconds(1)) {
            self.within = within
            self.every = every
        }
    }

    /// For how long a check has to hold, at each look.
    public struct Always: Sendable, Hashable, Codable {
        /// How long it has to hold.
        public let through: Duration
        /// The pause between two looks.
        public let every: Duration

        /// A time from its parts.
        public init(through: Duration, every: Duration = .seconds(1)) {
            self.through = through
            self.every = every
        }
    }

    /// What is asked.
    public let probe: Probe
    /// The pause between two attempts.
    ///
    /// Nothing means 1 s while it is watched, and while it is waited for 100 ms, but 250 ms for a command; cloud-init is
    /// asked each second, or each 5 s once the console tells that it works, and as soon as it tells that it has ended.
    public let every: Duration?
    /// How long one attempt may take.
    public let timeout: Duration
    /// How many attempts in a row must hold, from 1.
    public let successes: Int
    /// How many attempts in a row may fail, from 1, before what held counts as lost.
    public let failures: Int
    /// What the user says to do where it does not hold.
    public let hint: String?
    /// For how long a test may fail before it counts as failed; nothing means that the first answer counts.
    public let eventually: Eventually?
    /// For how long a test has to hold; nothing means that one answer is enough.
    ///
    /// Not together with `eventually`.
    public let always: Always?

    /// How long one attempt may take where nothing is said.
    public static let usualTimeout = Duration.seconds(20)

    /// A check from its parts.
    public init(
        _ probe: Probe,
        every: Duration? = nil,
        timeout: Duration = Check.usualTimeout,
        successes: Int = 1,
        failures: Int = 3,
        hint: String? = nil,
        eventually: Eventually? = nil,
        always: Always? = nil
    ) {
        self.probe = probe
        self.every = every
        self.timeout = timeout
        self.successes = successes
        self.failures = failures
        self.hint = hint
        self.eventually = eventually
        self.always = always
    }

    /// The most time that it takes, as a test: of one attempt, and of those before or after it.
    public var patience: Duration { timeout + (eventually?.within ?? always?.through ?? .zero) }

    /// The probe in the words of the lab file.
    public var description: String { probe.description }
}

extension Check: Codable {
    private enum CodingKeys: String, CodingKey {
        case probe, every, timeout, successes, failures, hint, eventually, always
    }

    /// Decodes a check, or the bare probe that earlier versions wrote.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        guard fields.contains(.probe) else {
            self.init(try Probe(from: decoder))
            return
        }
        self.init(
            try fields.decode(Probe.self, forKey: .probe),
            every: try fields.decodeIfPresent(Duration.self, forKey: .every),
            timeout: try fields.decode(Duration.self, forKey: .timeout),
            successes: try fields.decode(Int.self, forKey: .successes),
            failures: try fields.decode(Int.self, forKey: .failures),
            hint: try fields.decodeIfPresent(String.self, forKey: .hint),
            eventually: try fields.decodeIfPresent(Eventually.self, forKey: .eventually),
            always: try fields.decodeIfPresent(Always.self, forKey: .always)
        )
    }
}
