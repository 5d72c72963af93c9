import KilnEngine
import KilnModel

/// How a service is asked for answers while something is done to it.
public struct AvailabilityPlan: Sendable, Hashable {
    /// Where an answer says which version gave it.
    public enum VersionPlace: Sendable, Hashable {
        /// A field of its header, by its name in lower case.
        case header(String)
        /// The start of its body.
        case body
    }

    /// How many requests a second, where nobody says otherwise.
    public static let usualRate = 20
    /// The most requests a second.
    public static let highestRate = 100
    /// The most requests that wait for an answer at a time at a forward into a guest.
    ///
    /// It has a backlog of one: bursts lose connections in the host's kernel, whatever the guest does.
    public static let mostAtForward = 8
    /// The same where a front takes them, which holds a thousand; a process has 1,024 files as a rule, and needs some for itself.
    public static let mostHeld = 800
    /// How many of them, the oldest, wait as long as a user would.
    ///
    /// The others give way to those that are due, or nobody would ask while eight hang, and see when the service is back.
    public static let patient = 4

    /// What is asked, and what has to come back.
    public let request: HTTPProbe
    /// The port of this host.
    public let port: UInt16
    /// How long an answer may take to count: who waits longer calls the service away.
    public let patience: Duration
    /// Requests a second; the result can't be finer than the time between two of them.
    public let rate: Int
    /// How long the service is watched before and after, when nothing is done to it; nothing is concluded without.
    public let control: Duration
    /// Where an answer says which version gave it.
    public let version: VersionPlace?
    /// Whether requests that still wait when it is over are waited for, as it takes to count those that failed; a time without an
    /// answer ends with it otherwise.
    public let awaitsLast: Bool
    /// The most requests that wait for an answer at a time.
    public let mostUnderWay: Int
    /// How many of those that this host slept through are made late, all at once: a front takes them, a forward loses some.
    public let mostMadeLate: Int

    /// A plan; a rate beyond the limits becomes the nearest that is none.
    ///
    /// - Parameters:
    ///   - timeout: how long the probe says that an answer may take; without its saying so a client waits two seconds.
    ///   - hold: for how long the service promises to hold a request; a client waits for that, too.
    public init(
        _ request: HTTPProbe,
        port: UInt16,
        timeout: Duration = Check.usualTimeout,
        rate: Int = usualRate,
        control: Duration = .seconds(1),
        version: VersionPlace? = nil,
        awaitsLast: Bool = true,
        hold: Duration? = nil
    ) {
        self.request = request
        self.port = port
        patience = (timeout == Check.usualTimeout ? .seconds(2) : timeout) + (hold ?? .zero)
        mostUnderWay = hold == nil ? AvailabilityPlan.mostAtForward : AvailabilityPlan.mostHeld
        self.rate = min(max(rate, 1), AvailabilityPlan.highestRate)
        // A second of them.
        mostMadeLate = hold == nil ? 0 : self.rate
        self.control = control
        self.version = version
        self.awaitsLast = awaitsLast
    }

    /// The time between two requests.
    public var interval: Duration { .seconds(1) / rate }

    /// Over which connection a request goes: users come with new ones and with those that they kept.
    func connection(_ number: Int) -> ConnectionUse { number.isMultiple(of: 2) ? .new : .kept }
}
