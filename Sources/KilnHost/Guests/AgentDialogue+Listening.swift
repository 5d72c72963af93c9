import KilnEngine
import KilnSystem
import LibvirtKit

extension AgentDialogue {
    /// Hands on what the command writes until it has ended.
    ///
    /// The command's time is not what a slow reader takes, as in `kiln exec web -- cat big | less`.
    func listen(_ process: GuestAgent.Process, _ files: Files, _ told: Told) async throws -> GuestEnding {
        var end = end
        var pause = Duration.milliseconds(10)
        var killed: GuestExecResult?
        while true {
            var isNews = try await files.readState(told)
            // Whatever was written by then is read below.
            let status = told.status
            // The command was in time. What is left is little, but a guest could go on and on.
            if status != nil { end = max(end, .now + .seconds(60)) }
            for stream in [GuestDialogue.Stream.output, .errors] {
                isNews = try await drain(stream, files, told, &end) || isNews
            }
            if let status {
                if killed == nil { await collect(process) }
                return GuestEnding(status: status, isCut: told.count(of: "L") > 0)
            }
            if isNews {
                pause = .milliseconds(10)
                continue
            }
            // A shell that something killed says nothing. The agent tells it once.
            if killed == nil { killed = try await agent.result(of: process) }
            if let killed, try await !files.readState(told) {
                return GuestEnding(status: killed.status, isCut: true)
            }
            try checkTime(end)
            try await Task.sleep(for: pause)
            pause = min(pause * 5 / 4, .milliseconds(200))
        }
    }

    /// Lets the agent forget the shell, which ends within moments.
    ///
    /// It keeps what nobody asks for, and would give it out for a later program with the same number.
    private func collect(_ process: GuestAgent.Process) async {
        do {
            for _ in 0..<100 {
                if try await agent.result(of: process) != nil { return }
                try await Task.sleep(for: .milliseconds(20))
            }
        } catch {
            // The command has ended, and all that it wrote has come.
        }
    }

    /// Hands on what a stream has; whether it had any.
    private func drain(
        _ stream: GuestDialogue.Stream,
        _ files: Files,
        _ told: Told,
        _ end: inout ContinuousClock.Instant
    ) async throws -> Bool {
        var isNews = false
        while true {
            try checkTime(end)
            let bytes = try await files.read(stream)
            if !bytes.isEmpty {
                isNews = true
                let begin = ContinuousClock.now
                try dialogue.take(stream, bytes)
                end += ContinuousClock.now - begin
            } else if await files.piece(stream) < told.count(of: stream.letter) {
                try await files.turn(stream)
            } else {
                return isNews
            }
        }
    }

    private func checkTime(_ end: ContinuousClock.Instant) throws {
        try Task.checkCancellation()
        guard ContinuousClock.now < end else {
            throw DeadlineExceeded(operation: "run a command in \(machine)", limit: command.deadline)
        }
    }
}
