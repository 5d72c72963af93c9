/// What an autopilot decides about the number of a server's members.
public enum AutoscaleDecision: Sendable, Hashable {
    /// Write this to the journal.
    case record(AutopilotEvent)
    /// Do this, with `scaling` written before.
    case act(AutoscaleMove)
    /// End this, which an autopilot that is gone had begun.
    case finish(AutoscaleMove)
    /// Do nothing for now, though another number is wanted or nobody can tell.
    case wait(ServerID, AutoscaleWait)

    /// The server that it is about.
    public var server: ServerID {
        switch self {
        case .record(let event): event.member.whole
        case .wait(let server, _): server
        case .act(let move), .finish(let move): move.server
        }
    }
}

/// Why nothing is done for now.
public enum AutoscaleWait: Sendable, Hashable {
    /// Why a server is left alone.
    public enum Left: Sendable, Hashable {
        /// A rollout of it is open.
        case rollout
        /// Another command is at work on one of its members.
        case atWork
        /// One of its members is being healed or renewed.
        case healing
        /// Members that came or went by a command did not all do so.
        case unfinished
        /// More are wanted, and its members are not all of one image and configuration.
        case mixed
        /// Not all of its members get requests.
        case unready(serving: Int, of: Int)
        /// Nobody can tell what it has to do.
        case unknown(String)
    }

    /// It is not to be touched.
    case left(Left)
    /// Another number is wanted, and members could not come or go a moment ago.
    case pausing(wanted: Int, pause: Duration)
    /// Fewer are wanted; one goes once that has lasted so long.
    case lasting(wanted: Int, needed: Duration)
    /// More are wanted than it may have.
    case most(wanted: Int, most: Int)
    /// More are wanted than the host has memory for.
    case memory(wanted: Int)
}

/// What was measured of a server, and what follows for the number of its members.
public struct AutoscaleFigures: Sendable, Hashable, Codable {
    /// What all members had together: answered requests a second, or requests that waited.
    public let load: Double
    /// How many served.
    public let serving: Int
    /// What each is to have.
    public let target: AutoscaleSpec.Target
    /// For how long it was measured.
    public let window: Duration

    /// How far from its target the load may be without another number being wanted, as Kubernetes' autoscaler has it.
    public static let tolerance = 0.1

    /// Figures from their parts.
    public init(load: Double, serving: Int, target: AutoscaleSpec.Target, window: Duration) {
        self.load = load
        self.serving = serving
        self.target = target
        self.window = window
    }

    /// What each of them had.
    public var each: Double { load / Double(max(1, serving)) }

    /// How many would have what they are to have, before any limit; the present number where that is nearly so.
    public var wanted: Int {
        let target = Double(max(1, target.number))
        if abs(each - target) <= target * AutoscaleFigures.tolerance { return serving }
        return Int(min(load / target, 1_000_000).rounded(.up))
    }
}

/// That members of a server come or go, with the figures that led to it; it is written before it is done.
public struct AutoscaleMove: Sendable, Hashable, Codable {
    /// Why there are not as many at once as are wanted.
    public enum Bound: String, Sendable, Hashable, Codable {
        /// They are.
        case none
        /// It may have no more, or no fewer.
        case limit
        /// At most as many come at once as there are.
        case doubling
        /// They go one by one.
        case oneByOne
        /// The host has no memory for more.
        case memory
    }

    /// Whose.
    public let server: ServerID
    /// How many there are.
    public let from: Int
    /// How many there are to be.
    public let to: Int
    /// What was measured.
    public let figures: AutoscaleFigures
    /// The most that were wanted in the time in which fewer were; nothing where members come.
    public let highest: Int?
    /// Why there are not as many as are wanted.
    public let bound: Bound

    /// A move from its parts.
    public init(
        _ server: ServerID,
        from: Int,
        to: Int,
        figures: AutoscaleFigures,
        highest: Int? = nil,
        bound: Bound = .none
    ) {
        self.server = server
        self.from = from
        self.to = to
        self.figures = figures
        self.highest = highest
        self.bound = bound
    }
}

/// What came of it.
public enum AutoscaleEnd: Sendable, Hashable, Codable {
    /// There are so many, and all of them serve.
    case done
    /// There are not.
    case failed(AutopilotFailure)
    /// Nothing was done, since it is not as it was seen any more, or somebody else is at work.
    case left(String)
}
