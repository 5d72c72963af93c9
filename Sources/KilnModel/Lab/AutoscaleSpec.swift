/// How many members an autopilot may let a server have, and by what it decides.
public struct AutoscaleSpec: Sendable, Hashable, Codable {
    /// What each serving member is to have of the load.
    public enum Target: Sendable, Hashable, Codable {
        /// So many answered requests a second.
        case requests(Int)
        /// So many requests that wait.
        case queue(Int)

        /// How many it is.
        public var number: Int {
            switch self {
            case .requests(let number), .queue(let number): number
            }
        }
    }

    /// The fewest members.
    public var min: Int
    /// The most members.
    public var max: Int
    /// What each of them is to have.
    public var target: Target
    /// In how long members follow their load: a quarter of it to measure, as much again to be sure before one goes, and what is
    /// left to let it come or go.
    public var cooldown: Duration

    /// The cooldown where a lab file does not say.
    public static let usualCooldown = Duration.seconds(60)

    /// A spec from its parts.
    public init(min: Int = 1, max: Int, target: Target, cooldown: Duration = AutoscaleSpec.usualCooldown) {
        self.min = min
        self.max = max
        self.target = target
        self.cooldown = cooldown
    }

    /// How long a load is measured before members come: a quarter of `cooldown`, and at most 20 seconds.
    public var window: Duration { Swift.min(.seconds(20), cooldown / 4) }

    /// For how long fewer have to be wanted before one goes, with the time in which that is measured: half of `cooldown`.
    public var calm: Duration { cooldown / 2 }

    /// The number nearest to another one that a server may have.
    public func allowed(_ number: Int) -> Int { Swift.max(min, Swift.min(max, number)) }
}
