/// When in a rollout something happens, at the turn of one member.
enum RolloutMoment: String, Sendable, CaseIterable {
    /// The member is about to be taken out of the front; that is written down, and not done.
    case takeOut = "take-out"
    /// Its new machine is ready and has just been put into the front, as the end of HEALTHY does; it is not committed.
    case putIn = "put-in"
    /// It is committed, and looked at whether it stays ready.
    case soak

    /// The name of the failpoint; nothing where there is none, and the rollout's journal tells of the moment.
    var failpoint: String? {
        switch self {
        case .takeOut: "rollout.take-out"
        case .putIn: "healthy.after"
        case .soak: nil
        }
    }
}

/// Whose turn it is, in the order of the rollout.
enum RolloutTurn: String, Sendable, CaseIterable {
    case first, middle, last

    /// How many members have had their turn before.
    var others: Int {
        switch self {
        case .first: 0
        case .middle: 1
        case .last: LaneFleet.replicas - 1
        }
    }
}

/// What happens to a rollout, while kiln stands still.
enum RolloutFault: String, Sendable, CaseIterable {
    /// SIGKILL to kiln.
    case kill
    /// SIGKILL to the server's front, and to the process that would start it again.
    case killFront = "kill-front"
    /// SIGKILL to the QEMU of the member whose turn it is.
    case killMember = "kill-member"
    /// SIGKILL to the libvirt daemon.
    case killDaemon = "kill-daemon"
    /// No space where lab and journals lie.
    case fullState = "full-state"
    /// A second kiln is told to replace the same server.
    case secondKiln = "second-kiln"
    /// As `killMember`, while an autopilot looks after the lab all the time.
    case killMemberWatched = "kill-member-watched"

    /// Whether kiln may end with the rollout open, for the next command to take it up.
    var mayInterrupt: Bool {
        switch self {
        case .kill, .killDaemon, .fullState: true
        case .killFront, .killMember, .killMemberWatched, .secondKiln: false
        }
    }

    /// Whether requests may fail: nobody takes them, or a member ends in the middle of one.
    var mayFailRequests: Bool { [.killFront, .killMember, .killMemberWatched].contains(self) }
}

/// One run of the rollout tier.
struct RolloutCell: Sendable {
    let moment: RolloutMoment
    let turn: RolloutTurn
    let fault: RolloutFault

    /// The first part of the names of all cells.
    static let tier = "rollouts"

    var name: String { "\(RolloutCell.tier)/\(moment.rawValue)/\(turn.rawValue)/\(fault.rawValue)" }

    /// All of them; a fault after the other, so that a part of a sweep has seen every moment.
    static let all: [RolloutCell] = RolloutFault.allCases.flatMap { fault in
        RolloutMoment.allCases.flatMap { moment in
            RolloutTurn.allCases.map { RolloutCell(moment: moment, turn: $0, fault: fault) }
        }
    }
}
