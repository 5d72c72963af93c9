/// What new members of a server take, in turn with as many whose volumes begin empty.
struct Scaling: Sendable, Codable {
    /// How many came.
    let members: Int
    /// `kiln scale`, where each gets a clone of a volume that holds 500 MiB, in seconds.
    let clones: Summary
    /// The same with empty volumes: a boot of as many machines, in seconds.
    let empty: Summary
    /// What the clones took of the disk by the end of the command, in MiB: what the new machines wrote, and no content.
    let grown: Summary

    var ratio: Double { clones.median / empty.median }

    /// The most that the ratio may be.
    static let largestRatio = 1.2
}

/// `kiln up` of a server with many members, one after the other and all at once, in turn, in seconds.
struct Launching: Sendable, Codable {
    let members: Int
    let inTurn: Summary
    let atOnce: Summary

    var ratio: Double { atOnce.median / inTurn.median }

    /// The most that the ratio may be.
    static let largestRatio = 0.7
}

/// What a front adds to an answer: the medians of windows, in milliseconds.
struct FrontCost: Sendable, Codable {
    let front: Summary
    let plain: Summary
    /// How many windows of both were left out, since the client could not keep its rate or requests failed.
    let leftOut: Int

    var difference: Double { front.median - plain.median }

    /// The most that the difference may be.
    static let greatestDifference = 1.0
}
