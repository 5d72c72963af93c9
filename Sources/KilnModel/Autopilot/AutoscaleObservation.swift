/// What a server's front has to do, for all its ports and members together.
public struct FrontLoad: Sendable, Hashable {
    /// The process that counts: another one begins at nothing.
    public let process: Int32
    /// How many requests or connections its members got since that process began.
    public let answered: Int
    /// How many wait now: for a member that is free, and for any to serve.
    public let waiting: Int

    /// A load from its parts.
    public init(process: Int32, answered: Int, waiting: Int) {
        self.process = process
        self.answered = answered
        self.waiting = waiting
    }
}

/// What is true at one look of the servers whose number of members follows their load.
public struct AutoscaleObservation: Sendable, Hashable {
    /// A server.
    public struct Server: Sendable, Hashable {
        /// How many it may have, and by what that is decided.
        public var spec: AutoscaleSpec
        /// How many it has as it was declared last.
        public var replicas: Int
        /// How many of these are ready and get requests.
        public var serving: Int
        /// Whether one of them was not launched yet, or one is there that is not declared any more.
        public var isUnfinished = false
        /// Whether its members are not all of one image and configuration.
        public var isMixed = false
        /// What its front has to do; nothing where no front tells.
        public var load: FrontLoad?
        /// When that was read.
        public var loadTime: Duration
        /// How many more the host has memory for; nothing where that can't be told.
        public var room: Int?
        /// What each of its members takes of the host's memory.
        public var memory = ByteCount(bytes: 0)
        /// Whether a rollout of it is open.
        public var hasRollout = false
        /// Whether another command is at work on one of its members.
        public var isLocked = false
        /// Whether one of its members is being healed or renewed.
        public var isHealing = false

        /// A server all of whose members serve, but for what is set afterwards.
        public init(_ spec: AutoscaleSpec, replicas: Int, load: FrontLoad? = nil, at time: Duration = .zero) {
            self.spec = spec
            self.replicas = replicas
            serving = replicas
            self.load = load
            loadTime = time
        }
    }

    /// When the look began, as ``AutopilotObservation/began``.
    public var began: Duration
    /// When it ended.
    public var now: Duration
    /// How long it may have taken.
    public var patience: Duration
    /// All servers that declare it.
    public var servers: [ServerID: Server]
    /// Servers whose members whoever asks lets come or go at this moment: nothing is said of them.
    public var busy: Set<ServerID>

    /// An observation from its parts.
    public init(
        began: Duration,
        now: Duration,
        patience: Duration = Check.usualTimeout,
        servers: [ServerID: Server],
        busy: Set<ServerID> = []
    ) {
        self.began = began
        self.now = now
        self.patience = patience
        self.servers = servers
        self.busy = busy
    }
}

extension AutoscaleObservation.Server {
    /// Why it is left alone before anything is measured; nothing where it is not.
    var isDisturbed: AutoscaleWait.Left? {
        if hasRollout { return .rollout }
        if isLocked { return .atWork }
        return isHealing ? .healing : nil
    }

    /// Why nothing that is measured counts; nothing where all its members do what there is to do.
    var isUnsteady: AutoscaleWait.Left? {
        if let isDisturbed { return isDisturbed }
        if isUnfinished { return .unfinished }
        if serving != replicas || replicas < 1 { return .unready(serving: serving, of: replicas) }
        return load == nil ? .unknown("no front of it tells how many requests there are") : nil
    }
}
