import Foundation
import Glibc
import KilnOutside

extension CellRun {
    /// Starts the replacement and lets the cell's fault happen to it.
    func strike() throws {
        switch cell.fault {
        case .kill:
            let end = try replace("kill").finish()
            note("replace", end)
            if end.status != 137 { result.broken.append("the failpoint was not reached: \(end.errors.suffix(300))") }
        case .fail:
            let end = try replace("fail").finish()
            note("replace", end)
            expectDocumented(end)
            expectFailure(end)
        case .killOld: try whileStopped { _ in try self.killMachine(self.before) }
        case .killNew: try whileStopped { _ in try self.killMachine(try self.newGeneration()) }
        case .secondKiln: try whileStopped { try self.runSecondKiln(while: $0) }
        case .fullState: try whileFull(home.labs)
        case .fullOverlay: try whileFull(home.generations)
        case .fullVolume: try whileFull(home.volumes)
        case .inputOutputErrorOfState: try whileSyncsFail()
        case .inputOutputError: try whileStopped { _ in try self.failVolumeWrite() }
        case .inputOutputErrorOfRoot: try whileStopped { _ in try self.failRootWrite() }
        case .killDaemon: try whileStopped { _ in try self.killDaemon() }
        }
    }

    private func replace(_ action: String) throws -> Child {
        try home.start(
            ["replace", LaneServer.name, "--image", server.nextImage(), "--format", "json"],
            failpoint: cell.point.failpoint(action)
        )
    }

    /// Does something while kiln stands still at the point, lets it go on, and waits for its end.
    func whileStopped(_ body: (Child) throws -> Void) throws {
        let child = try replace("stop")
        guard try child.awaitStop() else {
            note("replace", try child.finish())
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
        note("replace", end)
        expectDocumented(end)
        if cell.fault == .secondKiln && end.status != 0 {
            result.broken.append("the first command ended with \(end.status) because of a second")
        }
    }

    // MARK: - Processes

    /// The generation that the replacement is to lead to, as its journal says.
    private func newGeneration() throws -> Int? {
        let target = JournalFile.latestTarget(try contents(home.server + "/journal"))
        guard target != before else { throw Failure("the journal names no new generation") }
        return target
    }

    private func killMachine(_ generation: Int?) throws {
        guard let generation, let victim = home.machines.first(where: { LaneHome.generation(of: $0) == generation })
        else { throw Failure("generation \(generation ?? 0), which was to be killed, does not run") }
        kill(victim.pid, SIGKILL)
        try awaitThat("QEMU of generation \(generation) is dead", within: .seconds(10)) {
            !Processes.isAlive(victim.pid)
        }
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

    private func killDaemon() throws {
        let daemons = Processes.below(home.path).filter { $0.name == "libvirtd" }
        guard !daemons.isEmpty else { throw Failure("no daemon runs that could be killed") }
        for daemon in daemons { kill(daemon.pid, SIGKILL) }
        try awaitThat("the daemon is dead", within: .seconds(10)) { !daemons.contains { Processes.isAlive($0.pid) } }
    }

    // MARK: - Space

    private func whileFull(_ directory: String) throws {
        let filler = directory + "/.sweep-filler"
        defer { unlink(filler) }
        try whileStopped { _ in try CellRun.fill(filler) }
    }

    private static func fill(_ path: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Failure("\(path) can't be made: \(String(cString: strerror(errno)))") }
        defer { close(file) }
        let piece = [UInt8](repeating: 0xa5, count: 1 << 20)
        // What a file system has set aside for data that it has not placed yet is free again once it has.
        for _ in 0..<3 {
            for size in [1 << 20, 4096, 512] { while write(file, piece, size) > 0 {} }
            fsync(file)
        }
        guard write(file, piece, 4096) < 0, errno == ENOSPC else { throw Failure("\(path) does not fill its disk") }
    }
}
