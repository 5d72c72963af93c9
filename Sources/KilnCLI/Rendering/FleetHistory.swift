import KilnEngine
import KilnModel

/// The lives of a server's members, and its rollouts.
struct FleetHistory: Renderable {
    let members: [HistoryView]
    let rollouts: [RolloutReport]

    struct Payload: Encodable {
        let members: [HistoryView.Payload]
        let rollouts: [RolloutReport]
    }

    var payload: Payload { Payload(members: members.map(\.payload), rollouts: rollouts) }

    var human: HumanView {
        let views = members.flatMap { view -> [String] in
            let title = ["\(view.server.whole).\(view.server.ordinal)"]
            guard case .lines(let lines) = MemberViews([view]).human else { return title }
            return title + lines.map { "  " + $0 }
        }
        return .lines(views + rollouts.map { "\($0.server): \($0.sentence)" })
    }
}
