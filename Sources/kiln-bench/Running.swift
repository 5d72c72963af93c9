/// What scenarios take beside their machines, in seconds.
struct Running: Sendable, Codable {
    /// How many steps the long scenario has.
    let steps: Int
    /// The long scenario, whose steps do nothing.
    let long: Summary
    /// One of a single step.
    let short: Summary
    /// How many scenarios of a machine each were run.
    let scenarios: Int
    /// One after the other.
    let inTurn: Summary
    /// Two at a time.
    let twoAtOnce: Summary
    /// How many files were checked.
    let files: Int
    /// `kiln scenario lint` of all of them.
    let lint: Summary

    /// What a step takes of kiln's own, in milliseconds.
    var step: Double { (long.median - short.median) * 1_000 / Double(steps - 1) }
    var ratio: Double { twoAtOnce.median / inTurn.median }

    /// The most that a step may take, in milliseconds.
    static let longestStep = 5.0
    /// The most that the ratio may be.
    static let largestRatio = 0.7
    /// The most that the check of all files may take, in seconds.
    static let longestLint = 5.0
}
