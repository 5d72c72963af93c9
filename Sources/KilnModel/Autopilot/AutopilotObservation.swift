/// What is true of a lab's members at one look, read anew before every decision.
public struct AutopilotObservation: Sendable, Hashable {
    /// How a member is.
    public enum Standing: Sendable, Hashable {
        /// Its machine is ready.
        case ready
        /// Its machine has no process that is of any use.
        case gone
        /// Its machine has a process, and is not ready.
        case silent
        /// Nothing can be told of it, and why.
        case unknown(String)
    }

    /// A member.
    public struct Member: Sendable, Hashable {
        /// How it is.
        public var standing: Standing
        /// The generation that is the member.
        public var generation: Generation
        /// Whether its journal says that it is to be on: 'kiln stop' says that it is not.
        public var isWantedOn = true
        /// Whether its latest operation halted.
        public var isHalted = false
        /// Whether an operation of it has begun and not ended.
        public var isOpen = false
        /// Whether another command is at work on it.
        public var isLocked = false
        /// Whether a rollout of its server is open.
        public var hasRollout = false
        /// Whether it was not found ready since its machine was started.
        public var isBooting = false
        /// Whether its machine, which is silent, only stands still, as after a write error: it has lost nothing, and may go on.
        public var isPaused = false
        /// Whether it is older than its server's `max-age`.
        public var isDue = false
        /// What may be done.
        public var heal: HealSpec
        /// How long a machine of it may take to be ready.
        public var readyTimeout: Duration
        /// How long one that is ready may take to show it.
        public var patience = Check.usualTimeout

        /// A member that is as it should be, but for what is set afterwards.
        public init(
            _ standing: Standing = .ready,
            generation: Generation = Generation(1),
            heal: HealSpec = HealSpec(),
            readyTimeout: Duration = .seconds(120)
        ) {
            self.standing = standing
            self.generation = generation
            self.heal = heal
            self.readyTimeout = readyTimeout
        }
    }

    /// When the look began, since the host's boot, asleep or awake; only differences mean anything.
    public var began: Duration
    /// When it ended.
    public var now: Duration
    /// How long it may have taken.
    public var patience: Duration
    /// The minute of the day by the host's clock, for windows only.
    public var minute: Int
    /// The members of all servers that are to be healed.
    public var members: [MemberID: Member]
    /// Members that whoever asks is at work on at this moment: nothing is said of them.
    public var busy: Set<MemberID>

    /// An observation from its parts.
    public init(
        began: Duration,
        now: Duration,
        patience: Duration = Check.usualTimeout,
        minute: Int = 0,
        members: [MemberID: Member],
        busy: Set<MemberID> = []
    ) {
        self.began = began
        self.now = now
        self.patience = patience
        self.minute = minute
        self.members = members
        self.busy = busy
    }
}

extension AutopilotObservation.Member {
    /// Why it is left alone, however it is; nothing where it is not.
    var isLeft: AutopilotWait.Left? {
        if !isWantedOn { return .stopped }
        if isHalted { return .halted }
        if isLocked { return .atWork }
        if hasRollout { return .rollout }
        if case .unknown(let why) = standing { return .unknown(why) }
        return nil
    }

    /// What is wrong with it; nothing where it is as it should be.
    var trouble: AutopilotCause? {
        if isOpen { return .interrupted }
        switch standing {
        case .ready, .unknown: return nil
        case .gone: return .gone
        case .silent: return .silent
        }
    }
}
