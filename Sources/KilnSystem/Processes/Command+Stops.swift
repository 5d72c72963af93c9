import Foundation
import Glibc
import Subprocess

extension Command {
    /// Runs the program, and does something each time that it stops itself by SIGSTOP; it goes on then.
    ///
    /// - Parameters:
    ///   - line: takes each line of its standard output.
    ///   - stopped: gets its process id, and is waited for while it stands still; it may end it.
    /// - Returns: its exit status and the end of what it wrote to standard error.
    /// - Throws: as ``result()``, and what `stopped` throws; the program is dead then.
    public func result(
        lines line: @escaping @Sendable (String) -> Void,
        atStops stopped: @escaping @Sendable (Int32) async throws -> Void
    ) async throws -> Output {
        try await supervised { launch in
            let result = try await Subprocess.run(
                launch,
                input: .none,
                output: .sequence,
                error: .sequence
            ) { execution in
                let pid = execution.processIdentifier.value
                let (output, errors) = (execution.standardOutput, execution.standardError)
                async let stops: Void = Command.follow(pid, stopped)
                do {
                    let said = try await Command.toTheEnd {
                        async let said = Command.collect(errors, keeping: .end)
                        for try await text in output.strings(separatedBy: .lineBreaks) { line(text) }
                        return try await said
                    }
                    try await stops
                    return said
                } catch {
                    // Nobody would wake it, and its end is waited for.
                    kill(pid, SIGKILL)
                    throw error
                }
            }
            return Output(
                status: Command.status(result.terminationStatus),
                output: [],
                errors: result.closureResult
            )
        }
    }

    // What stands still never closes its streams: whoever waits for their end would wait without end.
    private static func follow(_ pid: pid_t, _ stopped: (Int32) async throws -> Void) async throws {
        while await nextStop(of: pid) {
            do {
                try await stopped(pid)
            } catch {
                kill(pid, SIGKILL)
                throw error
            }
            kill(pid, SIGCONT)
        }
    }

    // On a thread of its own: it takes as long as the program.
    private static func nextStop(of pid: pid_t) async -> Bool {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: hasStopped(pid)) }
        }
    }

    /// Waits until a child stands still, or has ended; its end is left to whoever collects it.
    private static func hasStopped(_ pid: pid_t) -> Bool {
        var found = siginfo_t()
        while waitid(P_PID, id_t(pid), &found, WSTOPPED | WEXITED | WNOWAIT) != 0 {
            guard errno == EINTR else { return false }
        }
        guard found.si_code == CLD_STOPPED else { return false }
        // So that the same stop is told once.
        waitid(P_PID, id_t(pid), &found, WSTOPPED | WNOHANG)
        return true
    }
}
