import KilnModel

/// Under what a run goes on, besides its file; with the same it can be repeated.
public struct RunConditions: Sendable, Hashable {
    /// What it leaves to chance comes from this.
    public let seed: RunSeed
    /// How much longer its steps may take.
    public let scale: TimeoutScale

    /// Conditions from their parts.
    public init(seed: RunSeed = .fresh(), scale: TimeoutScale = .asWritten) {
        self.seed = seed
        self.scale = scale
    }

    /// Both in words, such as `seed 7, deadlines × 2.5 without KVM`.
    public var description: String {
        let why = scale.isAutomatic ? " without KVM" : ""
        return "seed \(seed)" + (scale.factor == 1 ? "" : ", deadlines × \(scale)\(why)")
    }
}
