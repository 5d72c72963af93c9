/// `kiln ps` of one server and of many, in turn, in milliseconds; no machine is on.
struct Crowd: Sendable, Codable {
    let servers: Int
    let volumes: Int
    let one: Summary
    let many: Summary

    var ratio: Double { many.median / one.median }

    /// The most that the ratio may be.
    static let largestRatio = 2.0
}
