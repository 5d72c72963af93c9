import Foundation

/// One cell: a server under load, a replacement, a fault, the next command, and what holds then.
final class CellRun {
    let cell: FailpointCell
    let server: LaneServer
    var result: CellResult
    var home: LaneHome { server.home }
    private var before: Int?

    /// What kiln may end with; 70 says that Kiln itself is wrong, so it is never right.
    private static let documented: Set<Int32> = [0, 10, 11, 12, 13, 69, 75]

    init(_ cell: FailpointCell, on server: LaneServer) {
        self.cell = cell
        self.server = server
        result = CellResult(cell: cell.name)
    }

    /// Runs it; what is wrong is in the result.
    func run() -> CellResult {
        let start = ContinuousClock.now
        let watch = WriterWatch(home)
        do {
            try server.beginLedger(awaiting: 3)
            before = home.machines.first.flatMap(LaneHome.generation)
            try strike()
            try recover()
            try check()
        } catch {
            result.broken.append("\(error)")
        }
        result.bothServing += watch.end()
        result.seconds = (ContinuousClock.now - start) / .seconds(1)
        return result
    }

    // MARK: - The fault

    private func strike() throws {
        switch cell.fault {
        case .kill:
            let end = try replace("kill").finish()
            note("replace", end)
            if end.status != 137 { result.broken.append("the failpoint was not reached: \(end.errors.suffix(300))") }
        case .fail:
            let end = try replace("fail").finish()
            note("replace", end)
            expectDocumented(end)
            if end.status == 0 { result.broken.append("the failpoint was not reached") }
        case .killOld, .killNew: try whileStopped { _ in try self.killMachine(isOld: self.cell.fault == .killOld) }
        case .secondKiln: try whileStopped { try self.runSecondKiln(while: $0) }
        case .fullState: try whileFull(home.labs)
        case .fullOverlay: try whileFull(home.generations)
        case .fullVolume: try whileFull(home.volumes)
        case .inputOutputError: try whileStopped { _ in try self.failNextWrite() }
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
    private func whileStopped(_ body: (Child) throws -> Void) throws {
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

    private func killMachine(isOld: Bool) throws {
        let generations = home.machines.compactMap { machine in
            LaneHome.generation(of: machine).map { (number: $0, pid: machine.pid) }
        }
        let sorted = generations.sorted { $0.number < $1.number }
        guard let victim = isOld ? sorted.first : sorted.last else { throw Failure("no machine runs") }
        kill(victim.pid, SIGKILL)
        try awaitThat("QEMU of generation \(victim.number) is dead", within: .seconds(10)) {
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
        for daemon in daemons { kill(daemon.pid, SIGKILL) }
        try awaitThat("the daemon is dead", within: .seconds(10)) { !daemons.contains { Processes.isAlive($0.pid) } }
    }

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

    // MARK: - What comes next

    /// Runs the next command: another one in another cell, but the same whenever the cell is run.
    private func recover() throws {
        let commands = [
            ["recover", LaneServer.name], ["up", "-f", home.labFile],
            ["replace", LaneServer.name, "--image", server.nextImage()],
        ]
        // A machine that was killed after everything was done is no interrupted command, so only 'up' starts it again.
        let isMachineGone = [.killOld, .killNew, .fullState, .fullOverlay, .fullVolume, .inputOutputError]
            .contains(cell.fault)
        let command = isMachineGone ? commands[1 + variant % 2] : commands[variant % commands.count]
        if variant % 2 == 0 { _ = try server.status() }
        let end = try home.run(command + ["--format", "json"])
        note(command[0], end)
        if try server.status().halted {
            if !mayHalt { result.broken.append("the server is halted") }
            let again = try home.run(["recover", LaneServer.name, "--format", "json"])
            note("recover", again)
            if again.status != 0 { result.broken.append("recover: \((again.output + again.errors).suffix(500))") }
        } else if end.status != 0 {
            result.broken.append("the next command, \(command[0]), ended with \(end.status): \(end.errors.suffix(300))")
        }
        if [.paused, .off].contains(try server.status().state) {
            note("up", try home.run(["up", "-f", home.labFile, "--format", "json"]))
        }
    }

    /// Whether neither way may have been safe: the disk was full or broken on the way back too, or the way back failed.
    private var mayHalt: Bool {
        switch cell.fault {
        case .fullState, .fullOverlay, .fullVolume, .inputOutputError: true
        case .fail: cell.point.way != nil
        case .kill, .killOld, .killNew, .secondKiln, .killDaemon: false
        }
    }

    private var variant: Int { cell.name.utf8.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xffff } / 7 }

    private func note(_ command: String, _ end: Child.End) { result.notes.append("\(command) \(end.status)") }

    private func expectDocumented(_ end: Child.End) {
        // 10 and 11 say that what served before serves on; unless this cell has killed it.
        let isKept = home.machines.compactMap(LaneHome.generation) == [before]
        if [10, 11].contains(end.status), !isKept, ![.killOld, .inputOutputError].contains(cell.fault) {
            result.broken.append("kiln ended with \(end.status), but generation \(before ?? 0) does not run")
        }
        if !CellRun.documented.contains(end.status) {
            result.broken.append("kiln ended with \(end.status): \((end.output + end.errors).suffix(400))")
        } else if end.status != 0 && !CellRun.isExplained(end) {
            result.broken.append(
                "kiln ended with \(end.status) and no code or outcome in JSON: \(end.output.suffix(300))"
            )
        }
    }

    /// Whether standard output is one JSON document with the outcome, or with an error's code.
    private static func isExplained(_ end: Child.End) -> Bool {
        struct Document: Decodable {
            struct Problem: Decodable {
                let code: String
                let message: String
            }
            let error: Problem?
            let outcome: String?
            let exit: Int32?
        }
        for text in [end.output, end.errors] {
            guard let document = try? JSONDecoder().decode(Document.self, from: Data(text.utf8)) else { continue }
            if let problem = document.error { return problem.code.contains(".") && !problem.message.isEmpty }
            return document.outcome != nil && document.exit == end.status
        }
        return false
    }
}

extension String {
    fileprivate static let paused = "paused"
    fileprivate static let off = "off"
}
