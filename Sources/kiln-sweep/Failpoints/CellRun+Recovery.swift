import Foundation
import KilnOutside

extension CellRun {
    /// Runs the next command, and counts what does not serve then.
    func recover() throws {
        if variant % 2 == 0 { _ = try server.status() }
        let command = nextCommand
        // A machine that stands still can't be asked to shut down: 'replace' gives up, and lets it go on.
        let mayAbort = try command[0] == "replace" && home.machines.contains { try self.isPaused($0) }
        let end = try home.run(command + ["--format", "json"])
        note(command[0], end)
        let status = try server.status()
        guard !status.halted else { return try recoverHalted() }
        if end.status != 0 && !(mayAbort && end.status == 10) {
            result.broken.append("the next command, \(command[0]), ended with \(end.status): \(end.errors.suffix(300))")
        }
        try countServing(status, after: command[0])
    }

    /// Another one in another cell, but the same whenever the cell is run.
    private var nextCommand: [String] {
        let commands = [
            ["recover", LaneServer.name], ["up", "-f", home.labFile],
            ["replace", LaneServer.name, "--image", server.nextImage()],
        ]
        // A launch is begun anew by nothing else.
        if cell.point.operation.isLaunch { return commands[1] }
        // A machine that was ended after everything was done is no interrupted command, so 'recover' does not start it.
        return cell.fault.stopsMachines ? commands[1 + variant % 2] : commands[variant % commands.count]
    }

    /// Tries the way back of a halted server again, as its error tells a person to do.
    private func recoverHalted() throws {
        if !mayHalt { result.broken.append("the server is halted") }
        let again = try home.run(["recover", LaneServer.name, "--format", "json"])
        note("recover", again)
        if again.status != 0 { result.broken.append("recover: \((again.output + again.errors).suffix(500))") }
        // What is taken back of a launch leaves nobody who could serve.
        if cell.point.operation.isLaunch {
            let up = try home.run(nextCommand + ["--format", "json"])
            note("up", up)
            if up.status != 0 { result.broken.append("up: \((up.output + up.errors).suffix(500))") }
        }
        try countServing(try server.status(), after: "recover")
    }

    /// Whether neither way may have been safe: the disk was full on the way back too, or the way back failed.
    private var mayHalt: Bool {
        switch cell.fault {
        case .fullState, .fullOverlay, .fullVolume: true
        case .fail: cell.point.way != nil
        case .kill, .killOld, .killNew, .secondKiln, .killDaemon: false
        case .inputOutputErrorOfState, .inputOutputError, .inputOutputErrorOfRoot: false
        }
    }

    /// Counts a server that does not serve once the next command has ended, and only then brings it up.
    private func countServing(_ status: LaneServer.Status, after command: String) throws {
        guard [.paused, .off].contains(status.state) else { return }
        result.neitherServing += 1
        result.notes.append("after '\(command)' it is \(status.state)")
        // What it has lost can be seen only while it runs.
        note("up", try home.run(["up", "-f", home.labFile, "--format", "json"]))
    }
}

extension String {
    fileprivate static let paused = "paused"
    fileprivate static let off = "off"
}
