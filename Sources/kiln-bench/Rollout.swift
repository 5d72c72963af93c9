/// How all members of a server are brought to another image.
enum RolloutWay: String, Sendable, Codable, CodingKeyRepresentable, CaseIterable {
    /// `kiln replace`, one member at a time.
    case rollout
    /// The same, with all members out at once.
    case allAtOnce = "all-at-once"
    /// By hand, with virsh and HAProxy.
    case script
}

/// One rollout and what a client saw of it.
struct RolloutSample: Sendable, Codable {
    /// From the command to its end, in seconds; of the script, to the last member's being up.
    let wall: Double
    let seen: OpenLoopFigures

    init(_ watched: Watched) { (wall, seen) = (watched.wall / .seconds(1), watched.seen) }
}

extension RolloutSample: CustomStringConvertible {
    /// For progress.
    var description: String {
        "\(seen.during.failed) of \(seen.during.requests) failed" + (seen.flaw.map { ", NOT VALID: \($0)" } ?? "")
    }
}

/// The rollouts of one image's server, in the order in which they were made.
struct RolloutComparison: Sendable, Codable {
    let image: String
    let members: Int
    var samples: [RolloutWay: [RolloutSample]] = [:]

    /// The valid runs of a way together.
    func totals(_ way: RolloutWay) -> RolloutTotals? { RolloutTotals(samples[way] ?? []) }
}

/// What clients saw of several rollouts together.
struct RolloutTotals: Sendable {
    let requests: Int
    let failed: Int
    /// The longest time between two answers of each, in seconds.
    let longest: Summary
    /// The slowest answer of each, in seconds.
    let slowest: Summary
    let wall: Summary

    /// Of the valid ones alone; nothing where there is none.
    init?(_ samples: [RolloutSample]) {
        let valid = samples.filter(\.seen.isValid)
        let windows = valid.map(\.seen.during)
        guard let longest = Summary(windows.map(\.longest)),
            let slowest = Summary(windows.compactMap(\.answers?.greatest)), let wall = Summary(valid.map(\.wall))
        else { return nil }
        requests = windows.map(\.requests).reduce(0, +)
        failed = windows.map(\.failed).reduce(0, +)
        (self.longest, self.slowest, self.wall) = (longest, slowest, wall)
    }
}
