import KilnModel

/// How a rollout stands, or ended.
public struct RolloutReport: Sendable, Hashable, Encodable {
    /// How it stands.
    public enum Standing: String, Sendable, Hashable, Encodable {
        /// Somebody drives it.
        case progressing
        /// It waits for time to pass, or for a person.
        case paused
        /// Whoever drove it has ended: the next command takes it up.
        case interrupted
        /// It has ended.
        case ended
    }

    /// The server.
    public let server: ServerID
    /// The rollout's number.
    public let id: Int
    /// How it stands.
    public let standing: Standing
    /// Which way it goes, or went.
    public let direction: RolloutDirection
    /// How it ended; nothing while it is open.
    public let outcome: RolloutOutcome.Kind?
    /// The members that are made from the target, by ordinal.
    public let new: [Int]
    /// The members that take part and are not.
    public let old: [Int]
    /// Why it stopped or turned back; nothing where nothing failed.
    public let failure: RolloutFailure?
    /// What the members are, or were, to be made from.
    public let target: RolloutVersion

    init(_ server: ServerID, _ state: RolloutState, _ standing: Standing, new: [Int]) {
        self.server = server
        id = state.plan.id
        self.standing = standing
        direction = state.direction
        outcome = state.outcome?.kind
        self.new = state.outcome?.new ?? new
        old = state.outcome?.old ?? state.plan.ordinals.filter { !new.contains($0) }
        failure = state.pause?.failure ?? state.turn
        target = state.plan.target
    }

    /// What a person can do with a rollout that is paused.
    public static func waysOn(_ server: ServerID, _ direction: RolloutDirection, hasFailed: Bool) -> String {
        if direction == .back {
            return
                "'kiln rollout undo \(server)' goes on with taking back what is new, 'kiln rollout abort \(server)' leaves the members "
                + "as they are"
        }
        let retry = "'kiln rollout retry \(server)' tries once more what failed, "
        let promote =
            "'kiln rollout promote \(server)' \(hasFailed ? "leaves that as it is and goes on" : "lets it go on"), "
        return (hasFailed ? retry : "") + promote + "'kiln rollout abort \(server)' takes back what is new"
    }

    /// The exit code of a command that ends with this report.
    public var exit: ExitCode {
        switch (standing, outcome) {
        case (_, .completed), (_, .aborted): .done
        case (_, .rolledBack): failure == nil ? .done : .reverted
        case (_, .degraded): failure?.code == .replaceHalted ? .halted : .reverted
        case (.paused, nil):
            failure.map { $0.code == .replaceHalted ? .halted : .blocked } ?? (direction == .back ? .blocked : .done)
        case (_, nil): .blocked
        }
    }

    /// In a line for people.
    public var sentence: String {
        let members = "\(RolloutOutcome.words(new)) new, \(RolloutOutcome.words(old)) not"
        switch (standing, outcome) {
        case (_, .completed): return "rollout \(id) completed: \(RolloutOutcome.words(new)) new"
        case (_, .rolledBack): return "rollout \(id) was taken back"
        case (_, .aborted): return "rollout \(id) was aborted, and taken back"
        case (_, .degraded): return "rollout \(id) stopped on the way: \(members)"
        case (let standing, nil): return "rollout \(id) \(standing.rawValue): \(members)"
        }
    }
}
