import Foundation
import KilnOutside

/// One cell: members under load, a rollout, a fault at the turn of one of them, the next command, and what holds then.
final class RolloutRun: LaneRun {
    let cell: RolloutCell
    let fleet: LaneFleet
    var result: CellResult
    var home: LaneHome { fleet.home }
    /// The versions of the image that all members have before, and that the rollout brings.
    private(set) var versions = (before: "", target: "")
    private var before: [Int?] = []
    private var transcript = Transcript()
    /// Who looks after the lab besides, where the cell wants that.
    private(set) var autopilot: LaneAutopilot?

    init(_ cell: RolloutCell, on fleet: LaneFleet) {
        self.cell = cell
        self.fleet = fleet
        result = CellResult(cell: cell.name)
        result.tooManyOut = 0
    }

    /// Runs it; what is wrong is in the result.
    func run() -> CellResult {
        let seen = WriterWatch.looking(at: fleet.members.map(\.member), of: home) {
            try fleet.beginLedgers()
            try tryOut(FleetWatch(home, port: try prepare()))
            try check()
        }
        result.take(seen)
        return result
    }

    /// The command that begins the rollout, and one that may take it up.
    var replace: [String] { ["replace", LaneServer.name, "--image", "tiny:\(versions.target)"] }

    func note(_ command: String, _ end: Child.End) { transcript.note(command, end, &result) }

    /// Keeps what helps to understand what was found.
    func keepEvidence(in directory: String) {
        let members = fleet.members.enumerated().map { index, server in
            (member: server.member, before: before.indices.contains(index) ? before[index] : nil)
        }
        try? transcript.keep(in: directory, result, home, members)
    }

    /// Requires a documented exit code, explained in JSON.
    func expectDocumented(_ end: Child.End) {
        let isExplained = RolloutEnding(end)?.explains(end.status) == true
        if let problem = Ending.problem(end, isExplained: isExplained) { result.broken.append(problem) }
    }

    /// Sees what serves before the rollout; the published port.
    private func prepare() throws -> UInt16 {
        let statuses = try fleet.statuses()
        guard let version = fleet.version(statuses), let port = statuses[0].ports["http"]?.host else {
            throw Failure("the members have several images before the rollout, or no port")
        }
        before = statuses.map(\.generation)
        versions = (version, version == "1" ? "2" : "1")
        return port
    }

    private func tryOut(_ watch: FleetWatch) throws {
        defer { watch.end(&result, mayFail: cell.fault.mayFailRequests) }
        autopilot = cell.fault == .killMemberWatched ? try LaneAutopilot(home) : nil
        defer { autopilot?.kill() }
        try strike(watch)
        try takeUp()
        try autopilot?.end(&result, &transcript)
    }
}
