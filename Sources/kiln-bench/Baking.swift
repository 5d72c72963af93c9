/// What bakes of one version took, in seconds, and mmdebstrap alone with the same packages, in turn.
struct Baking: Sendable, Codable {
    let image: String
    /// With an empty step cache.
    let cold: Summary
    /// mmdebstrap alone: no steps, no disk, no image.
    let mmdebstrap: Summary
    /// After a program of its last step was changed.
    let changedStep: Summary
    /// Of what is baked already.
    let unchanged: Summary

    /// How much longer a bake takes than what it can't do without.
    var ratio: Double { cold.median / mmdebstrap.median }

    /// The most that the ratio may be.
    static let largestRatio = 1.3
    /// The most that a bake of what is baked already may take, in seconds.
    static let longestUnchanged = 1.0
}

/// What the tests of an image took, in seconds, and a boot of it, in turn.
struct ImageTesting: Sendable, Codable {
    let image: String
    /// `kiln image test`.
    let test: Summary
    /// `kiln up` of a server that is ready when its agent answers.
    let boot: Summary

    var ratio: Double { test.median / boot.median }

    /// The most that the ratio may be.
    static let largestRatio = 4.0
}
