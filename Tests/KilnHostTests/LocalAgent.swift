import Foundation
import Glibc
import Synchronization

@testable import LibvirtKit

/// A guest agent whose guest is this host: it starts programs, and opens files, as QEMU's does.
final class LocalAgent: Sendable {
    private struct Started {
        let process: Process
        let output: String?
    }

    private struct State {
        var processes: [Int: Started] = [:]
        var files: [Int: FileHandle] = [:]
        var count = 0
        var commands: [String] = []
        var forbidden: Set<String> = []
        var isSilent = false
        var inVain = 0
        // Foundation may yet wait for those that a program left behind.
        var ended: [Process] = []
    }

    private struct Refusal: Error {}

    private let state = Mutex(State())
    private let folder: String

    init(in folder: String) { self.folder = folder }

    /// The names of all commands that it got.
    var commands: [String] { state.withLock { $0.commands } }
    /// How many files it has open.
    var openFiles: Int { state.withLock { $0.files.count } }

    /// How many programs it started whose result nobody has asked for since they ended.
    var keptResults: Int { state.withLock { $0.processes.count } }
    /// How many commands it got since it answers none.
    var askedInVain: Int { state.withLock { $0.inVain } }

    /// Lets it answer nothing any more.
    func fallSilent() { state.withLock { $0.isSilent = true } }

    /// Lets it refuse a command.
    func forbid(_ command: String) { state.withLock { _ = $0.forbidden.insert(command) } }

    var agent: GuestAgent {
        GuestAgent(of: "web") { json, _ in
            do {
                return try self.answer(json)
            } catch {
                throw LibvirtError(
                    code: .internalError,
                    origin: .qemu,
                    message: "\(error)",
                    operation: GuestAgent.operation,
                    subject: "web"
                )
            }
        }
    }

    private func answer(_ json: String) throws -> String {
        let asked = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
        let command = asked?["execute"] as? String ?? ""
        let words = asked?["arguments"] as? [String: Any] ?? [:]
        return try state.withLock { state in
            state.commands.append(command)
            if state.isSilent {
                state.inVain += 1
                throw Refusal()
            }
            if state.forbidden.contains(command) { throw Refusal() }
            return #"{"return": \#(try value(command, words, &state))}"#
        }
    }

    private func value(_ command: String, _ words: [String: Any], _ state: inout State) throws -> String {
        let file = (words["handle"] as? Int).flatMap { state.files[$0] }
        switch command {
        case "guest-ping", "guest-file-flush": return "{}"
        case "guest-fsfreeze-status": return #""thawed""#
        case "guest-info":
            let names = ["guest-exec", "guest-file-open"].filter { !state.forbidden.contains($0) }
            let list = names.map { #"{"enabled": true, "name": "\#($0)"}"# }.joined(separator: ",")
            return #"{"supported_commands": [\#(list)]}"#
        case "guest-exec": return try start(words, &state)
        case "guest-exec-status": return try status(words["pid"] as? Int ?? 0, &state)
        case "guest-file-open":
            let path = words["path"] as? String ?? ""
            let isWritten = words["mode"] as? String == "w"
            if isWritten, !FileManager.default.createFile(atPath: path, contents: nil) { throw Refusal() }
            let opened = isWritten ? FileHandle(forWritingAtPath: path) : FileHandle(forReadingAtPath: path)
            guard let opened else { throw Refusal() }
            state.count += 1
            state.files[state.count] = opened
            return "\(state.count)"
        case "guest-file-close":
            try state.files.removeValue(forKey: words["handle"] as? Int ?? 0)?.close()
            return "{}"
        case "guest-file-read":
            guard let file else { throw Refusal() }
            let data = try file.read(upToCount: words["count"] as? Int ?? 0) ?? Data()
            return #"{"count": \#(data.count), "buf-b64": "\#(data.base64EncodedString())", "eof": \#(data.isEmpty)}"#
        case "guest-file-write":
            guard let file, let data = Data(base64Encoded: words["buf-b64"] as? String ?? "") else { throw Refusal() }
            try file.write(contentsOf: data)
            return #"{"count": \#(data.count), "eof": false}"#
        default: throw Refusal()
        }
    }

    private func start(_ words: [String: Any], _ state: inout State) throws -> String {
        let program = words["path"] as? String ?? ""
        let paths = program.contains("/") ? [program] : ["/usr/bin/", "/bin/"].map { $0 + program }
        guard let path = paths.first(where: FileManager.default.isExecutableFile) else { throw Refusal() }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = words["arg"] as? [String] ?? []
        process.standardInput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        state.count += 1
        var output: String?
        if words["capture-output"] as? Bool == true {
            let path = "\(folder)/output-\(state.count)"
            _ = FileManager.default.createFile(atPath: path, contents: nil)
            process.standardOutput = FileHandle(forWritingAtPath: path)
            output = path
        }
        try process.run()
        state.processes[state.count] = Started(process: process, output: output)
        return #"{"pid": \#(state.count)}"#
    }

    // The result is given out once.
    private func status(_ pid: Int, _ state: inout State) throws -> String {
        guard let started = state.processes[pid] else { throw Refusal() }
        guard let exitCode = exitCode(of: started.process) else { return #"{"exited": false}"# }
        state.processes[pid] = nil
        state.ended.append(started.process)
        let data = started.output.flatMap { FileManager.default.contents(atPath: $0) } ?? Data()
        return #"{"exited": true, "exitcode": \#(exitCode), "#
            + #""out-data": "\#(data.base64EncodedString())"}"#
    }

    // As soon as it ended, also where it left a process behind, for which Foundation waits.
    private func exitCode(of process: Process) -> Int32? {
        var info = siginfo_t()
        let options = WEXITED | WNOHANG | WNOWAIT
        if waitid(P_PID, id_t(process.processIdentifier), &info, options) == 0 {
            return info.si_signo == SIGCHLD ? info._sifields._sigchld.si_status : nil
        }
        return process.isRunning ? nil : process.terminationStatus
    }
}
