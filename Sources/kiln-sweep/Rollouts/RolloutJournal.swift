import Foundation

/// What a server's journal of rollouts tells of the latest one; read anew each time.
struct RolloutJournal {
    private let path: String
    private let before: Int

    /// That of a home's server, of which all that is in it by now is past.
    init(of home: LaneHome) {
        path = home.server + "/rollout"
        before = RolloutJournal.events(path).count
    }

    // There is none before the first rollout.
    private static func events(_ path: String) -> [[String: Any]] {
        JournalFile.events(FileManager.default.contents(atPath: path) ?? Data())
    }

    private var events: [[String: Any]] { Array(RolloutJournal.events(path).dropFirst(before)) }

    /// The members with which something was begun, in that order: `take-out`, `replace`.
    func begun(_ kind: String) -> [Int] {
        events.filter { $0["event"] as? String == "entered" }.compactMap { $0["move"] as? [String: Any] }
            .filter { $0["kind"] as? String == kind }.compactMap { $0["ordinal"] as? Int }
    }

    /// The members whose soak has begun, in that order, and whether that of the latest goes on.
    var soaks: (begun: [Int], goesOn: Bool) {
        var (begun, goesOn): ([Int], Bool) = ([], false)
        for event in events {
            switch event["event"] as? String {
            case "soaking"?:
                // One that was broken begins once more.
                if let ordinal = event["ordinal"] as? Int, begun.last != ordinal { begun.append(ordinal) }
                goesOn = true
            case "settled"?, "soak-broken"?: goesOn = false
            default: break
            }
        }
        return (begun, goesOn)
    }
}
