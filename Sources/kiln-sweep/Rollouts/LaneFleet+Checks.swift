import Foundation
import KilnOutside

extension LaneFleet {
    /// Checks everything that has to hold of all members once the next command has ended, from outside kiln.
    func check(_ result: inout CellResult) throws {
        let statuses = try statuses()
        let front = try FrontFile(of: home)
        for (server, status) in zip(members, statuses) {
            let slot = front[server.member.index]
            if slot?.isServing != true || slot?.generation != status.generation {
                result.broken.append(
                    "the front does not send requests to \(server.member.title(status.generation ?? 0))"
                )
            }
            try server.checkServing(status, port: slot?.ports["http"], &result)
        }
        checkFront(statuses, &result)
        for server in members { try server.checkVolume(&result) }
        try checkLeftovers(statuses, front, &result)
        result.broken += try home.imageProblems()
        for path in members.map(\.member.journal) {
            if let problem = JournalFile.problem(try contents(path)) { result.broken.append("\(path): \(problem)") }
        }
    }

    /// Clients of the published port reach every member.
    private func checkFront(_ statuses: [LaneServer.Status], _ result: inout CellResult) {
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

    private func checkLeftovers(
        _ statuses: [LaneServer.Status],
        _ front: FrontFile,
        _ result: inout CellResult
    ) throws {
        if let problem = try Leftovers.collect(home) { result.broken.append(problem) }
        let members = zip(members, statuses).compactMap { server, status in
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
