import Foundation
import KilnOutside

extension RolloutRun {
    /// Checks everything that has to hold once the next command has ended, from outside kiln.
    func check() throws {
        let statuses = try fleet.statuses()
        let front = try FrontFile(of: home)
        for (server, status) in zip(fleet.members, statuses) {
            let slot = front[server.member.index]
            if slot?.isServing != true || slot?.generation != status.generation {
                result.broken.append(
                    "the front does not send requests to \(server.member.title(status.generation ?? 0))"
                )
            }
            try server.checkServing(status, port: slot?.ports["http"], &result)
        }
        try checkImage(statuses)
        checkFront(statuses)
        for server in fleet.members { try server.checkVolume(&result) }
        try checkLeftovers(statuses, front)
        result.broken += try home.imageProblems()
        for path in fleet.members.map(\.member.journal) + [home.server + "/rollout"] {
            if let problem = JournalFile.problem(try contents(path)) { result.broken.append("\(path): \(problem)") }
        }
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

    /// Clients of the published port reach every member.
    private func checkFront(_ statuses: [LaneServer.Status]) {
        guard let port = statuses[0].ports["http"]?.host else { return }
        var missing = Set(statuses.compactMap(\.instanceID))
        let deadline = ContinuousClock.now + .seconds(30)
        while !missing.isEmpty && ContinuousClock.now < deadline {
            if case .whole(let text) = Answer.asking(port) {
                missing = missing.filter { !text.contains("\"instance-id\":\"\($0)\"") }
            }
            pause(.milliseconds(20))
        }
        if !missing.isEmpty { result.broken.append("clients do not reach \(missing.sorted().joined(separator: ", "))") }
    }

    private func checkLeftovers(_ statuses: [LaneServer.Status], _ front: FrontFile) throws {
        if let problem = try Leftovers.collect(home) { result.broken.append(problem) }
        let members = zip(fleet.members, statuses).compactMap { server, status in
            status.generation.map { (member: server.member, generation: $0) }
        }
        var leftovers = Leftovers(
            home: home,
            members: members,
            ports: Set(front.slots.flatMap(\.ports.values)),
            hasFront: true
        )
        try leftovers.look()
        result.leftovers += leftovers.found
        result.broken += leftovers.missing
    }
}
