import Foundation
import KilnOutside

/// One cell: members under load, a rollout, a fault at the turn of one of them, the next command, and what holds then.
final class RolloutRun {
    let cell: RolloutCell
    let fleet: LaneFleet
    var result: CellResult
    var home: LaneHome { fleet.home }
    /// The versions of the image that all members have before, and that the rollout brings.
    private(set) var versions = (before: "", target: "")
    private var before: [Int?] = []
    private var transcript = Transcript()

    init(_ cell: RolloutCell, on fleet: LaneFleet) {
        self.cell = cell
        self.fleet = fleet
        result = CellResult(cell: cell.name)
        result.tooManyOut = 0
    }

    /// Runs it; what is wrong is in the result.
    func run() -> CellResult {
        let start = ContinuousClock.now
        let writers = WriterWatch(fleet.members.map(\.member), of: home)
        do {
            try fleet.beginLedgers()
            try watching(try prepare()) { watch in
                try strike(watch)
                try takeUp()
            }
            try check()
        } catch {
            result.broken.append("\(error)")
        }
        let seen = writers.end()
        result.bothServing += seen.twice
        if !seen.all { result.broken.append("a volume was never seen to be open for writing") }
        result.seconds = (ContinuousClock.now - start) / .seconds(1)
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

    /// Does something under the eyes of a client and of who counts the members that are out.
    private func watching(_ port: UInt16, _ body: (MemberWatch) throws -> Void) throws {
        let (watch, client) = (MemberWatch(home), PublishedClient(port: port))
        defer {
            take(watch.end())
            take(client.end())
        }
        try body(watch)
    }

    private func take(_ found: MemberWatch.Findings) {
        result.tooManyOut = found.tooMany
        result.notes.append("\(found.looks) looks, \(found.answers) answers of members, \(found.late) late")
        if let first = found.first { result.notes.append("too many out: \(first)") }
        // What was not looked at was not tried.
        if found.looks == 0 || found.answers == 0 { result.broken.append("the members were not watched") }
    }

    private func take(_ found: PublishedClient.Findings) {
        result.notes.append("client: \(found.failed) of \(found.requests) requests failed, \(found.late) late")
        if found.failed > 0 && !cell.fault.mayFailRequests {
            result.broken.append("\(found.failed) requests failed, though clients had nothing to do with the fault")
        }
        if found.requests == 0 { result.broken.append("no request was made") }
    }
}
