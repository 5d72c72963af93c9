import Foundation
import KilnEngine
import KilnModel
import KilnSystem
import LibvirtKit

/// A command in a guest that may read and write much, by files that the agent reads and writes while it runs.
struct AgentDialogue: Sendable {
    let agent: GuestAgent
    let machine: MachineID
    let command: GuestCommand
    let dialogue: GuestDialogue
    let end: ContinuousClock.Instant

    init(_ agent: GuestAgent, _ machine: MachineID, _ command: GuestCommand, _ dialogue: GuestDialogue) {
        (self.agent, self.machine, self.command, self.dialogue) = (agent, machine, command, dialogue)
        end = .now + command.deadline
    }

    /// Runs the command; nothing where the guest has not what that takes, and nothing was begun.
    ///
    /// - Throws: what the agent throws, `DeadlineExceeded`, `guest.refused` where the guest has no such program.
    func run() async throws -> GuestEnding? {
        guard let folder = try await begin() else { return nil }
        return try await withoutLeaving(folder) {
            guard let files = try await open(folder) else { return nil }
            do {
                let ending = try await converse(folder, files)
                await files.close()
                return ending
            } catch {
                await files.close()
                throw error
            }
        }
    }

    private func begin() async throws -> String? {
        let name = UUID().uuidString
        let words = ["-c", DialogueScript.begin, "kiln", name, command.arguments.first ?? ""]
        let begun: GuestExecResult
        do {
            begun = try await agent.run("/bin/sh", words, deadline: command.deadline)
        } catch GuestAgentError.refused("guest-exec", let reason) {
            // Who may start nothing at all is told so; who has no shell may have the program.
            if try await agent.forbids("guest-exec") {
                throw GuestAgentError.refused(command: "guest-exec", reason: reason)
            }
            return nil
        } catch {
            // Interrupted, or too late: the folder may be there already.
            await remove(["/run", "/tmp"].map { "\($0)/kiln-exec-\(name)" })
            throw error
        }
        if begun.exitCode == DialogueScript.absent {
            throw GuestFailure.notStarted(
                command.arguments.first ?? "",
                machine,
                cause: "the guest has no such program"
            )
        }
        let place = String(decoding: begun.stdout, as: UTF8.self)
        return begun.exitCode == 0 && ["/run", "/tmp"].contains(place) ? "\(place)/kiln-exec-\(name)" : nil
    }

    // An agent may be allowed to start programs, and not to open files.
    private func open(_ folder: String) async throws -> Files? {
        do {
            return try await Files(agent, folder)
        } catch GuestAgentError.refused {
            return nil
        }
    }

    private func converse(_ folder: String, _ files: Files) async throws -> GuestEnding {
        let tenths = max(1, command.deadline.components.seconds) * 10
        let words =
            ["-c", DialogueScript.run, "kiln", folder, dialogue.input == nil ? "no" : "yes", String(tenths)]
            + command.arguments
        let process = try await agent.start("/bin/sh", words, capturesOutput: false)
        let told = Told()
        return try await withThrowingTaskGroup(of: GuestEnding?.self) { group in
            defer { group.cancelAll() }
            group.addTask { try await listen(process, files, told) }
            if let next = dialogue.input {
                group.addTask {
                    try await feed(next, folder, told)
                    return nil
                }
            }
            while let ending = try await group.next() {
                if let ending { return ending }
            }
            throw CancellationError()
        }
    }

    private func feed(
        _ next: @Sendable () async throws -> [UInt8],
        _ folder: String,
        _ told: Told
    ) async throws {
        var piece = 0
        while true {
            let bytes = try await next()
            try await agent.writeFile("\(folder)/i.\(piece)", bytes)
            try await agent.writeFile("\(folder)/i.\(piece).ok", [])
            if bytes.isEmpty { return }
            piece += 1
            // One lies ready while another is read. Where the command has ended, this task is cancelled.
            while told.count(of: "i") < piece - 1 { try await Task.sleep(for: .milliseconds(20)) }
        }
    }

    private func listen(_ process: GuestAgent.Process, _ files: Files, _ told: Told) async throws -> GuestEnding {
        var pause = Duration.milliseconds(10)
        while true {
            var isNews = try await files.readState(told)
            // Whatever was written by then is read below.
            let status = told.status
            for stream in [GuestDialogue.Stream.output, .errors] {
                isNews = try await drain(stream, files, told) || isNews
            }
            if let status { return GuestEnding(status: status, isCut: told.count(of: "L") > 0) }
            if isNews {
                pause = .milliseconds(10)
                continue
            }
            // A shell that something killed says nothing.
            if let killed = try await agent.result(of: process), try await !files.readState(told) {
                return GuestEnding(status: Int32(killed.exitCode ?? 128 + (killed.signal ?? 0)), isCut: true)
            }
            try checkTime()
            try await Task.sleep(for: pause)
            pause = min(pause * 5 / 4, .milliseconds(200))
        }
    }

    /// Hands on what a stream has; whether it had any.
    private func drain(_ stream: GuestDialogue.Stream, _ files: Files, _ told: Told) async throws -> Bool {
        var isNews = false
        while true {
            try checkTime()
            let bytes = try await files.read(stream)
            if !bytes.isEmpty {
                isNews = true
                try dialogue.take(stream, bytes)
            } else if await files.piece(stream) < told.count(of: stream.letter) {
                try await files.turn(stream)
            } else {
                return isNews
            }
        }
    }

    private func checkTime() throws {
        try Task.checkCancellation()
        guard ContinuousClock.now < end else {
            throw DeadlineExceeded(operation: "run a command in \(machine)", limit: command.deadline)
        }
    }

    // Also where the command is interrupted: an unstructured task does not inherit the cancellation.
    private func remove(_ folders: [String]) async {
        let agent = agent
        _ = await Task { try? await agent.run("rm", ["-rf", "--"] + folders, deadline: .seconds(10)) }.value
    }

    private func withoutLeaving<Result: Sendable>(
        _ folder: String,
        _ body: () async throws -> Result
    ) async throws -> Result {
        do {
            let result = try await body()
            await remove([folder])
            return result
        } catch {
            await remove([folder])
            throw error
        }
    }
}
