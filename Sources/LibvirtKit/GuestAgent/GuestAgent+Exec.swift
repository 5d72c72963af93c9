import Foundation
import KilnSystem

/// How a program in the guest ended.
public struct GuestExecResult: Sendable, Equatable {
    /// The exit status; nil when a signal ended it.
    public let exitCode: Int?
    /// The signal that ended it; nil when it exited.
    public let signal: Int?
    /// Captured output; empty when not captured.
    public let stdout: [UInt8]
    /// Captured errors; empty when not captured.
    public let stderr: [UInt8]
    /// Whether the agent dropped output beyond its own limit.
    public let truncated: Bool

    /// How it ended as a shell says it: of a signal, 128 and its number.
    ///
    /// The guest chooses the numbers, so they may be any.
    public var status: Int32 { Int32(truncatingIfNeeded: exitCode ?? 128 &+ (signal ?? 0)) }

    /// Makes a result, for fakes in tests of other modules.
    public init(exitCode: Int?, signal: Int? = nil, stdout: [UInt8] = [], stderr: [UInt8] = [], truncated: Bool = false)
    {
        self.exitCode = exitCode
        self.signal = signal
        self.stdout = stdout
        self.stderr = stderr
        self.truncated = truncated
    }
}

extension GuestAgent {
    /// A program running in the guest, by the guest's process number.
    public struct Process: Sendable, Hashable {
        /// The process number inside the guest.
        public let pid: Int

        /// Names a process that was started earlier.
        public init(pid: Int) { self.pid = pid }
    }

    /// Starts a program in the guest; no shell is involved.
    ///
    /// - Parameters:
    ///   - path: the program; the agent looks a bare name up in its own PATH.
    ///   - arguments: without the program's name.
    ///   - environment: replaces the agent's own when not empty.
    ///   - input: what the program reads; at most a few hundred KiB, for it travels in one message.
    ///   - capturesOutput: whether ``result(of:)`` returns the output. More than about 3 MB cannot be carried back
    ///     and fails there, so let large output go to a file.
    public func start(
        _ path: String,
        _ arguments: [String] = [],
        environment: [String: String] = [:],
        input: [UInt8] = [],
        capturesOutput: Bool = true
    ) async throws -> Process {
        struct Arguments: Encodable {
            let path: String
            let arg: [String]
            let env: [String]?
            let input: String?
            let capture: Bool
            enum CodingKeys: String, CodingKey {
                case path, arg, env
                case input = "input-data"
                case capture = "capture-output"
            }
        }
        struct Started: Decodable { let pid: Int }
        let started: Started = try await ask(
            "guest-exec",
            Arguments(
                path: path,
                arg: arguments,
                env: environment.isEmpty ? nil : environment.map { "\($0.key)=\($0.value)" }.sorted(),
                input: input.isEmpty ? nil : Data(input).base64EncodedString(),
                capture: capturesOutput
            )
        )
        return Process(pid: started.pid)
    }

    /// How a started program ended; nil while it runs.
    ///
    /// The agent gives the result out once.
    public func result(of process: Process) async throws -> GuestExecResult? {
        try await result(of: process, timeout: timeout)
    }

    private func result(of process: Process, timeout: Duration) async throws -> GuestExecResult? {
        let command = "guest-exec-status"
        let status: ExecStatus = try await ask(command, process.arguments, timeout: timeout)
        guard status.exited else { return nil }
        return GuestExecResult(
            exitCode: status.exitCode,
            signal: status.signal,
            stdout: try Self.bytes(status.stdout ?? "", in: command),
            stderr: try Self.bytes(status.stderr ?? "", in: command),
            truncated: status.stdoutTruncated ?? false || status.stderrTruncated ?? false
        )
    }

    /// Runs a program in the guest to its end.
    ///
    /// A non-zero exit status or a signal is a result, not an error. When the deadline passes, the program goes on in
    /// the guest: the agent has no command that ends it.
    ///
    /// - Parameter deadline: from the start to the result, overrun by at most 6 s when the agent stops answering.
    /// - Throws: ``DeadlineExceeded``, ``LibvirtError``, ``GuestAgentError``, `CancellationError`.
    public func run(
        _ path: String,
        _ arguments: [String] = [],
        environment: [String: String] = [:],
        input: [UInt8] = [],
        deadline: Duration
    ) async throws -> GuestExecResult {
        let end = ContinuousClock.now.advanced(by: deadline)
        let process = try await start(path, arguments, environment: environment, input: input)
        // The agent tells nobody when a program ends, so its status is polled: soon at first, for most programs are
        // short, then ever more rarely, so that its end is noticed late by a fifth of its time, and by 0.2 s at most.
        var pause = Duration.milliseconds(10)
        while ContinuousClock.now < end {
            let left = ContinuousClock.now.duration(to: end)
            if let result = try await result(of: process, timeout: min(timeout, left)) { return result }
            try await Task.sleep(for: min(pause, max(.zero, ContinuousClock.now.duration(to: end))))
            pause = min(pause * 5 / 4, .milliseconds(200))
        }
        throw DeadlineExceeded(operation: "run '\(path)' in domain '\(domain)'", limit: deadline)
    }

    static func bytes(_ base64: String, in command: String) throws(GuestAgentError) -> [UInt8] {
        guard let data = Data(base64Encoded: base64) else {
            throw GuestAgentError.malformedAnswer(command: command, reason: "invalid base64")
        }
        return [UInt8](data)
    }
}

extension GuestAgent.Process {
    fileprivate struct Arguments: Encodable { let pid: Int }
    fileprivate var arguments: Arguments { Arguments(pid: pid) }
}

private struct ExecStatus: Decodable {
    let exited: Bool
    let exitCode: Int?
    let signal: Int?
    let stdout: String?
    let stderr: String?
    let stdoutTruncated: Bool?
    let stderrTruncated: Bool?

    enum CodingKeys: String, CodingKey {
        case exited, signal
        case exitCode = "exitcode"
        case stdout = "out-data"
        case stderr = "err-data"
        case stdoutTruncated = "out-truncated"
        case stderrTruncated = "err-truncated"
    }
}
