import Foundation
import KilnOutside

extension CellRun {
    /// Checks everything that has to hold once the next command has ended, from outside kiln.
    func check() throws {
        let status = try server.status()
        try server.checkServing(status, port: status.ports["http"]?.host, &result)
        try server.checkVolume(&result)
        try checkLeftovers(status)
        result.broken += try home.imageProblems()
        if let problem = JournalFile.problem(try contents(member.journal)) { result.broken.append(problem) }
    }

    private func checkLeftovers(_ status: LaneServer.Status) throws {
        if let problem = try Leftovers.collect(home) { result.broken.append(problem) }
        guard let generation = status.generation else { return }
        var leftovers = Leftovers(
            home: home,
            members: [(member: member, generation: generation)],
            ports: Set(status.ports.values.map(\.host))
        )
        try leftovers.look()
        result.leftovers += leftovers.found
        result.broken += leftovers.missing
    }
}
