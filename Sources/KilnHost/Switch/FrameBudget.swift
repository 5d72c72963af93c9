/// How many frames may pass: so many at once, and so many a second for as long as it goes on.
struct FrameBudget {
    private let perSecond: Double
    private let burst: Double
    private var left: Double
    private var counted: ContinuousClock.Instant

    init(perSecond: Int, burst: Int, at now: ContinuousClock.Instant) {
        self.perSecond = Double(perSecond)
        self.burst = Double(burst)
        left = self.burst
        counted = now
    }

    /// Takes one frame's worth; false where nothing is left.
    mutating func take(at now: ContinuousClock.Instant) -> Bool {
        left = min(burst, left + perSecond * ((now - counted) / .seconds(1)))
        counted = now
        guard left >= 1 else { return false }
        left -= 1
        return true
    }
}
