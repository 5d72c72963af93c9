import Foundation
import KilnOutside

extension RolloutRun {
    /// How many commands there may be after the first: two for a member that halted, and one for what then stopped on the
    /// way.
    private static let most = 3

    /// Runs the next command, and more where the rollout stands still in a way for which others are documented.
    func takeUp() throws {
        var standing = try standing()
        expect(standing)
        var hasRecovered = false
        for round in 0..<RolloutRun.most {
            guard let command = nextCommand(standing, isFirst: round == 0, hasRecovered) else { break }
            if command[0] == "recover" { hasRecovered = true }
            let end = try home.run(command + ["--format", "json"], within: .seconds(600))
            note(command[0] == "rollout" ? "rollout retry" : command[0], end)
            expect(end, of: command)
            standing = try self.standing()
        }
        try awaitAutopilot()
        if !standing.isSettled { result.broken.append("after the next command: \(standing.words)") }
        try countServing()
    }

    private func standing() throws -> RolloutEnding {
        let end = try home.run(["rollout", "status", LaneServer.name, "--format", "json"])
        guard let standing = RolloutEnding(end), standing.standing != nil else {
            throw Failure("kiln rollout status ended with \(end.status): \((end.output + end.errors).suffix(300))")
        }
        result.notes.append(standing.words)
        return standing
    }

    /// How a rollout may stand once who drove it has ended.
    private func expect(_ standing: RolloutEnding) {
        if cell.fault == .kill && result.missed == nil && standing.standing != "interrupted" {
            result.broken.append("kiln was killed, but \(standing.words)")
        }
        let isOpen = standing.standing == "interrupted" || standing.standing == "progressing"
        if isOpen && !cell.fault.mayInterrupt { result.broken.append("left open: \(standing.words)") }
    }

    /// The command that is documented for how the rollout stands; another one in another cell where several are.
    ///
    /// - Parameter isFirst: whether none was run yet: something is always run.
    private func nextCommand(_ standing: RolloutEnding, isFirst: Bool, _ hasRecovered: Bool) -> [String]? {
        let recover = ["recover", LaneServer.name]
        let commands = [recover, ["up", "-f", home.labFile], replace]
        switch standing.standing {
        case "paused"?:
            return standing.isHalted && !hasRecovered ? recover : ["rollout", "retry", LaneServer.name]
        case "ended"?:
            if standing.outcome == "degraded" { return replace }
            // Who looks on heals.
            guard isFirst, autopilot == nil else { return nil }
            // A machine that was killed after everything was done is no interrupted command, so 'recover' does not start it.
            return cell.fault == .killMember ? commands[1] : commands[result.variant % 2]
        default: return commands[result.variant % commands.count]
        }
    }

    /// A rollout that is taken up may turn back; only what was full may have made a way back fail.
    private func expect(_ end: Child.End, of command: [String]) {
        expectDocumented(end)
        let isTakenBack = end.status == 11 && RolloutEnding(end)?.outcome == "rolled-back"
        guard end.status != 0, !isTakenBack, cell.fault != .fullState, !isBehindAutopilot(end) else { return }
        result.broken.append("the next command, \(command[0]), ended with \(end.status): \(end.errors.suffix(300))")
    }

    /// Whether a command was told that the autopilot is at work on the member.
    private func isBehindAutopilot(_ end: Child.End) -> Bool {
        guard let autopilot, end.status == 12 else { return false }
        return (end.output + end.errors).contains("pid \(autopilot.pid)")
    }

    /// Lets an autopilot that looks on bring back who was killed.
    private func awaitAutopilot() throws {
        guard let autopilot else { return }
        try awaitThat("all members serve", within: .seconds(300)) {
            try autopilot.requireAlive()
            // A front may have more places than there are members.
            let front = try FrontFile(of: home)
            let isAllIn = fleet.members.allSatisfy { front[$0.member.index]?.isServing == true }
            return try isAllIn && fleet.statuses().allSatisfy { $0.state == "running" }
        }
        let acts = autopilot.decisions.filter { LaneAutopilot.acts.contains($0.word) }
        let words = acts.map { "\($0.word) \($0.member)" }.joined(separator: ", ")
        result.notes.append("the autopilot: \(words.isEmpty ? "nothing" : words)")
    }

    /// Counts members that do not serve once the next command has ended, and only then brings them up.
    private func countServing() throws {
        let off = try fleet.statuses().filter { ["paused", "off"].contains($0.state) }
        guard !off.isEmpty else { return }
        result.neitherServing += off.count
        result.notes.append("members \(off.compactMap(\.ordinal)) do not serve")
        // What they have lost can be seen only while they run.
        note("up", try home.run(["up", "-f", home.labFile, "--format", "json"]))
    }
}
