import Foundation
import KilnOutside

/// One cell: members under load and an autopilot, the death of one of them, and what holds once all serve again.
final class HealRun: LaneRun {
    let cell: HealCell
    let fleet: LaneFleet
    private var result: CellResult
    private var home: LaneHome { fleet.home }
    private var before: [Int?] = []
    private var transcript = Transcript()

    /// What a member may take to serve again: a pause after a heal that did not last, a start in vain, a replacement.
    private static let patience = Duration.seconds(300)

    init(_ cell: HealCell, on fleet: LaneFleet) {
        (self.cell, self.fleet) = (cell, fleet)
        result = CellResult(cell: cell.name)
    }

    /// Runs it; what is wrong is in the result.
    func run() -> CellResult {
        let seen = WriterWatch.looking(at: fleet.members.map(\.member), of: home) {
            try fleet.beginLedgers()
            let statuses = try fleet.statuses()
            guard let port = statuses[0].ports["http"]?.host else { throw Failure("the server has no port") }
            before = statuses.map(\.generation)
            try tryOut(FleetWatch(home, port: port))
            try fleet.check(&result)
        }
        result.take(seen)
        return result
    }

    /// Keeps what helps to understand what was found.
    func keepEvidence(in directory: String) {
        let members = fleet.members.enumerated().map { index, server in
            (member: server.member, before: before.indices.contains(index) ? before[index] : nil)
        }
        try? transcript.keep(in: directory, result, home, members)
    }

    // Of a member that dies, requests are cut off.
    private func tryOut(_ watch: FleetWatch) throws {
        defer { watch.end(&result, mayFail: true) }
        let autopilot = try LaneAutopilot(home)
        defer { autopilot.kill() }
        // At any moment of its beat of 2 s.
        pause(.milliseconds(2_000 + Int.random(in: 0..<4_000)))
        let member = fleet.members[Int.random(in: 0..<LaneFleet.replicas)].member
        try watch.kill(member)
        try awaitHeal(of: member, by: autopilot)
        try autopilot.end(&result, &transcript)
    }

    private func awaitHeal(of member: LaneMember, by autopilot: LaneAutopilot) throws {
        let death = ContinuousClock.now
        var first: (decision: String, after: Duration)?
        try awaitThat("\(member.name) serves again", within: HealRun.patience) {
            try autopilot.requireAlive()
            let decisions = autopilot.decisions(about: member)
            if first == nil, let decision = decisions.first { first = (decision, ContinuousClock.now - death) }
            return decisions.contains("serves")
        }
        let healed = ContinuousClock.now - death
        result.notes.append(
            "member \(member.index): \(first?.decision ?? "nothing") after \(HealRun.seconds(first?.after ?? healed)), "
                + "serves after \(HealRun.seconds(healed))"
        )
    }

    private static func seconds(_ time: Duration) -> String { String(format: "%.1f s", time / .seconds(1)) }
}
