import Foundation
import Glibc
import KilnFaults
import KilnOutside
import KilnSystem

extension CellRun {
    /// Starts the operation and lets the cell's fault happen to it.
    func strike() throws {
        switch cell.fault {
        case .kill:
            let end = try start("kill").finish()
            note(operation, end)
            if end.status != 137 { result.broken.append("the failpoint was not reached: \(end.errors.suffix(300))") }
        case .fail:
            let end = try start("fail").finish()
            note(operation, end)
            expectDocumented(end)
            expectFailure(end)
        case .killOld: try whileStopped { _ in try self.killMachine(self.before) }
        case .killNew: try whileStopped { _ in try self.killMachine(try self.newGeneration()) }
        case .secondKiln: try whileStopped { try self.runSecondKiln(while: $0) }
        case .fullState: try whileFull(home.labs)
        case .fullOverlay: try whileFull(member.generations)
        case .fullVolume: try whileFull(home.volumes)
        case .inputOutputErrorOfState: try whileSyncsFail()
        case .inputOutputError: try whileStopped { _ in try self.failVolumeWrite() }
        case .inputOutputErrorOfRoot: try whileStopped { _ in try self.failRootWrite() }
        case .killDaemon: try whileStopped { _ in try self.home.killDaemon() }
        }
    }

    private func start(_ action: String) throws -> Child {
        let line =
            switch cell.point.operation.command {
            case .replace: ["replace", LaneServer.name, "--image", server.nextImage()]
            case .launch, .clone: ["up", "-f", home.labFile]
            case .snapshot: ["volume", "snapshot", LaneServer.volume, CellRun.snapshot]
            }
        return try home.start(line + ["--format", "json"], failpoint: cell.point.failpoint(action))
    }

    /// Makes the server as it is before the operation, and sees what serves then.
    func prepare() throws {
        switch cell.point.operation.command {
        case .replace: break
        case .launch:
            try takeDown()
        case .clone(let hasTemplate):
            try takeDown()
            let templates = home.path + "/templates"
            if !hasTemplate { try? FileManager.default.removeItem(atPath: templates) }
            // What the cell before has spoilt is made anew.
            for _ in 0..<2 where hasTemplate && !names(templates).contains(where: { !$0.contains(".") }) {
                let up = try home.run(["up", "-f", home.labFile])
                guard up.status == 0 else { throw Failure("kiln up ended with \(up.status): \(up.errors)") }
                try takeDown()
            }
        case .snapshot:
            // Where the cell before made none, there is none.
            _ = try home.run(["volume", "snapshot", LaneServer.volume, CellRun.snapshot, "--remove"])
        }
        before = running.first
    }

    private func names(_ folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    }

    private func takeDown() throws {
        let end = try home.run(["down", "sweep"])
        guard end.status == 0 else { throw Failure("kiln down ended with \(end.status): \(end.errors)") }
    }

    private static let snapshot = "sweep"

    /// Does something while kiln stands still at the point, lets it go on, and waits for its end.
    func whileStopped(_ body: (Child) throws -> Void) throws {
        let child = try start("stop")
        guard try child.awaitStop() else {
            note(operation, try child.finish())
            result.broken.append("the failpoint was not reached")
            return
        }
        do {
            try body(child)
        } catch {
            child.send(SIGCONT)
            _ = try child.finish()
            throw error
        }
        child.send(SIGCONT)
        let end = try child.finish()
        note(operation, end)
        expectDocumented(end)
        if cell.fault == .secondKiln && end.status != 0 {
            result.broken.append("the first command ended with \(end.status) because of a second")
        }
    }

    // MARK: - Processes

    /// The generation that the replacement is to lead to, as its journal says.
    private func newGeneration() throws -> Int? {
        let target = JournalFile.latestTarget(try contents(member.journal))
        guard target != before else { throw Failure("the journal names no new generation") }
        return target
    }

    private func killMachine(_ generation: Int?) throws {
        guard let generation else { throw Failure("no generation served that could be killed") }
        try member.kill(generation)
    }

    private func runSecondKiln(while first: Child) throws {
        let commands = [["replace", LaneServer.name], ["up", "-f", home.labFile], ["recover", LaneServer.name]]
        let second = try home.run(commands[variant % commands.count] + ["--format", "json"], within: .seconds(60))
        note("second \(commands[variant % commands.count][0])", second)
        if second.status != 12 || !(second.output + second.errors).contains("pid \(first.pid)") {
            result.broken.append(
                "a second command ended with \(second.status), not 12 naming pid \(first.pid): \(second.errors.suffix(200))"
            )
        }
    }

    // MARK: - Space

    private func whileFull(_ directory: String) throws {
        let filler = DiskFiller(path: directory + "/.sweep-filler")
        defer { filler.remove() }
        try whileStopped { _ in try filler.fill() }
    }
}
