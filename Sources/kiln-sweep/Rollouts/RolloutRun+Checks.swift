import KilnOutside

extension RolloutRun {
    /// Checks everything that has to hold once the next command has ended, from outside kiln.
    func check() throws {
        try fleet.check(&result)
        try checkImage(try fleet.statuses())
        let journal = home.server + "/rollout"
        if let problem = JournalFile.problem(try contents(journal)) { result.broken.append("\(journal): \(problem)") }
    }

    /// All members have one image: that of before, or the one that the rollout was to bring.
    private func checkImage(_ statuses: [LaneServer.Status]) throws {
        if let open = statuses.compactMap(\.rollout).first { result.broken.append("a rollout is still open: \(open)") }
        guard let version = fleet.version(statuses) else {
            let all = statuses.map { $0.image?.version ?? "none" }.joined(separator: ", ")
            return result.broken.append("the members are of the versions \(all)")
        }
        let end = RolloutEnding(try home.run(["rollout", "status", LaneServer.name, "--format", "json"]))
        let wanted = end?.outcome == "completed" ? versions.target : versions.before
        if version != wanted { result.broken.append("\(end?.words ?? "no rollout"), but all have version \(version)") }
    }
}
