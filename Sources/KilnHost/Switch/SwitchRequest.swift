import KilnModel

/// What a switch is asked, in one packet of JSON.
enum SwitchRequest: Sendable, Hashable, Codable {
    /// To make changes, all or none.
    case change([SwitchTable.Change])
    /// To tell of itself.
    case status
    /// To end, and to leave nothing.
    case end

    /// The longest packet either way, in bytes: what the kernel takes at once by default.
    static let longest = 200_000
    /// The most ports of a switch: a machine and its successor for every server.
    static let mostPorts = 2 * NetworkID.mostServers
}

/// What a switch answers.
struct SwitchAnswer: Sendable, Hashable, Codable {
    /// What it tells of itself, where it was asked.
    var status: SwitchStatus?
    /// Why it did not do what it was asked to.
    var refusal: String?
}

/// Where a switch keeps its things.
struct SwitchPlace: Sendable, Hashable {
    /// The beginning of its paths.
    let base: String

    /// The socket at which it is asked.
    var socket: String { base + SwitchPlace.socketSuffix }
    /// What it was told; where there is none, it is not wanted any more.
    var table: String { base + SwitchPlace.tableSuffix }

    static let socketSuffix = ".switch"
    static let tableSuffix = ".table"
}
