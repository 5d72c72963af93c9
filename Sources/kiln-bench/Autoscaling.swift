/// What an autopilot made of a load that doubled, halved and doubled again.
struct Autoscaling: Sendable, Codable {
    /// In how long members are to follow, in seconds.
    static let cooldown = 20

    /// From the moment at which the load doubled until two members served, in seconds.
    let outAfter: Double
    /// From the moment at which it halved until one did.
    let inAfter: Double
    /// As the first, the second time.
    let againAfter: Double
    /// Whether the member that came again had what it had written before it went.
    let isDataBack: Bool
    let requests: Int
    let failed: Int
    /// Which part of the requests was begun by the clock, 0 to 1.
    let rateKept: Double

    /// The longest of the three, in seconds.
    var longest: Double { max(outAfter, inAfter, againAfter) }

    /// Whether the client could do its work.
    var isValid: Bool { rateKept >= OpenLoopFigures.leastRate }
}
