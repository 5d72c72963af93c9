import Foundation
import KilnEngine
import KilnModel
import KilnSystem

/// Keeps what helps to understand a run: one folder, with one in it for each of its servers.
///
/// What is secret, as far as the run knows it, is taken out of all that was kept of the run, also of what its replacements left.
struct RunEvidence {
    let engine: LabEngine
    let lab: Name
    let secrets: RunSecrets

    /// The most that is looked through of a file; what is larger is no log.
    private static let largest = 256 << 20

    /// The folder of the run.
    private var folder: String { "\(engine.evidence)/\(lab).run" }

    /// Copies console logs, definitions, journals, the trace and, where a guest still answers, the logs of cloud-init and of its
    /// system; returns the folder, or nothing where there was nothing to keep.
    func keep() async -> String? {
        var isKept = false
        for server in ((try? engine.members()) ?? []).filter({ $0.lab == lab }) {
            // What can't be kept of one server keeps nothing of the others back.
            guard let directory = try? await engine.keepEvidence(server) else { continue }
            await keepGuestLogs(server, directory)
            isKept = move(directory, of: server) || isKept
        }
        return isKept ? folder : nil
    }

    /// Takes secrets out of all that was kept of the run.
    func hideSecrets() async {
        let (secrets, run, all) = (secrets, lab, engine.evidence)
        await BlockingWork.run { RunEvidence.hide(secrets, ofRun: run, in: all) }
    }

    /// Keeps what happened in the run beside it, once it has ended; the log has no secrets.
    func keepEvents() async {
        let (log, copy) = (RunLogFiles(folder: engine.reports).path(of: lab), "\(folder)/events.ndjson")
        await BlockingWork.run {
            guard let events = try? DurableFile.contents(log) else { return }
            try? DurableFile.write(events, to: copy, mode: 0o640)
        }
    }

    /// What the consoles of the machines said last.
    func consoles() async -> [ConsoleExcerpt] {
        let (engine, lab) = (engine, lab)
        return await BlockingWork.run {
            ((try? engine.members()) ?? []).filter { $0.lab == lab }.compactMap { server in
                guard let machine = try? engine.machine(server), let path = try? engine.consoleLog(server) else {
                    return nil
                }
                return ConsoleExcerpt(of: machine, at: path)
            }
        }
    }

    // Into the folder of the run, where it can be told from what its replacements left.
    private func move(_ directory: String, of server: MemberID) -> Bool {
        do {
            try DurableFile.makeDirectory(folder)
            let generation = try engine.machine(server).generation
            try FileManager.default.moveItem(atPath: directory, toPath: "\(folder)/\(server.ownName).\(generation)")
            return true
        } catch { return false }
    }

    private func keepGuestLogs(_ server: MemberID, _ directory: String) async {
        for name in ["cloud-init.log", "cloud-init-output.log"] {
            guard let content = try? await engine.read("/var/log/\(name)", on: server, limit: 1 << 20, now: true) else {
                continue
            }
            try? DurableFile.write(Data(content), to: "\(directory)/\(name)", mode: 0o640)
        }
        let command = GuestCommand(
            ["journalctl", "--boot", "--no-pager", "--quiet", "--lines=5000"],
            deadline: .seconds(20)
        )
        guard let said = try? await engine.run(command, on: server, now: true), !said.output.isEmpty else { return }
        try? DurableFile.write(Data(said.output), to: "\(directory)/system-journal.log", mode: 0o640)
    }

    /// Takes secrets out of what was kept of a run.
    static func hide(_ secrets: RunSecrets, ofRun lab: Name, in evidence: String) {
        let manager = FileManager.default
        for entry in (try? manager.contentsOfDirectory(atPath: evidence)) ?? [] where entry.hasPrefix("\(lab).") {
            let folder = "\(evidence)/\(entry)"
            for name in (try? manager.subpathsOfDirectory(atPath: folder)) ?? [] {
                hide(secrets, in: "\(folder)/\(name)")
            }
        }
    }

    // A file that can't be made clean is not kept.
    private static func hide(_ secrets: RunSecrets, in path: String) {
        guard let facts = try? FileManager.default.attributesOfItem(atPath: path),
            facts[.type] as? FileAttributeType == .typeRegular
        else { return }
        let mode = (facts[.posixPermissions] as? NSNumber).map { mode_t($0.uint32Value) } ?? 0o600
        do {
            guard (facts[.size] as? NSNumber)?.intValue ?? 0 <= largest, let content = try DurableFile.contents(path)
            else { throw DurableFile.failure("read", path) }
            let hidden = secrets.hidden(content)
            if hidden != content { try DurableFile.write(hidden, to: path, mode: mode) }
        } catch { unlink(path) }
    }
}
