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
        var files: Files?
        do {
            files = try await open(folder)
            let ending = if let files { try await converse(folder, files) } else { GuestEnding?.none }
            await leave([folder], files, within: .seconds(15))
            return ending
        } catch {
            await leave([folder], files)
            throw error
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
            await leave(["/run", "/tmp"].map { "\($0)/kiln-exec-\(name)" }, nil)
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
        let words =
            ["-c", DialogueScript.run, "kiln", folder, dialogue.input == nil ? "no" : "yes", String(patience)]
            + command.arguments
        let process = try await agent.start("/bin/sh", words, capturesOutput: false)
        do {
            return try await attend(process, folder, files)
        } catch GuestAgentError.refused(_, let reason) {
            // It was started: nobody may take it for a program that the guest lacks.
            throw GuestFailure.resultLost(command.arguments.first ?? "", machine, reason)
        }
    }

    /// For how many tenths of a second the guest waits for a Kiln that died, or that somebody stopped for a while.
    private var patience: Int64 { max(600, command.deadline.components.seconds) * 10 }

    private func attend(
        _ process: GuestAgent.Process,
        _ folder: String,
        _ files: Files
    ) async throws -> GuestEnding {
        let told = Told()
        return try await withThrowingTaskGroup(of: GuestEnding?.self) { group in
            defer { group.cancelAll() }
            group.addTask { try await listen(process, files, told) }
            group.addTask {
                for number in 1... {
                    try await Task.sleep(for: .seconds(30))
                    // Who listens meets what is wrong, too.
                    try? await files.beat(number)
                }
                return nil
            }
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
            // What is empty because of that is no end.
            try Task.checkCancellation()
            try await agent.writeFile("\(folder)/i.\(piece)", bytes)
            try await agent.writeFile("\(folder)/i.\(piece).ok", [])
            if bytes.isEmpty { return }
            piece += 1
            // One lies ready while another is read. Where the command has ended, this task is cancelled.
            while told.count(of: "i") < piece - 1 { try await Task.sleep(for: .milliseconds(20)) }
        }
    }

    // Also where the command is interrupted: an unstructured task does not inherit the cancellation. An agent that hangs
    // keeps nobody waiting for long; what it does not remove the guest itself does in the end.
    private func leave(_ folders: [String], _ files: Files?, within patience: Duration = .seconds(5)) async {
        let agent = agent
        _ = await Task {
            try? await withPatience(patience, operation: "tidy up in a guest") {
                try await files?.close()
                _ = try await agent.run("rm", ["-rf", "--"] + folders, deadline: patience)
            }
        }.value
    }
}
