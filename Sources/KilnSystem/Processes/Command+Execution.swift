import Foundation
import KilnModel
import Subprocess
import SystemPackage

extension Command {
    /// Starts the program in a process group of its own, so that a terminal's Ctrl-C reaches it only through
    /// cancellation, and kills the whole group when the task is cancelled.
    func execute(_ path: String) async throws -> Output {
        var options = PlatformOptions()
        options.processGroupID = 0
        options.teardownSequence = [
            .send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .seconds(1))
        ]
        let line = try commandLine(path)
        let result = try await Subprocess.run(
            .path(FilePath(line[0])),
            arguments: Arguments(Array(line.dropFirst())),
            environment: .custom(Command.environment),
            platformOptions: options,
            input: .none,
            output: .sequence,
            error: .sequence
        ) { execution in
            async let output = Command.collect(execution.standardOutput, keeping: .start)
            async let errors = Command.collect(execution.standardError, keeping: .end)
            return (try await output, try await errors)
        }
        try Task.checkCancellation()
        let (output, errors) = result.closureResult
        return Output(status: Command.status(result.terminationStatus), output: output, errors: errors)
    }

    private func commandLine(_ path: String) throws -> [String] {
        var line = [path] + arguments
        if let limits {
            line =
                [
                    try Command.path(of: "prlimit"), "--cpu=\(limits.processorSeconds)",
                    "--as=\(limits.addressSpace.bytes)", "--core=0", "--",
                ] + line
        }
        if let user {
            line =
                [
                    try Command.path(of: "setpriv"), "--reuid=\(user.uid)", "--regid=\(user.gid)", "--clear-groups",
                    "--no-new-privs", "--",
                ] + line
        }
        return line
    }

    private static let environment: [Environment.Key: String] = [
        "PATH": ProgramPath.text, "LANG": "C", "LC_ALL": "C", "HOME": "/nonexistent", "TZ": "UTC",
    ]

    private enum Kept {
        case start
        case end
    }

    private static func collect(_ stream: SubprocessOutputSequence, keeping kept: Kept) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await buffer in stream {
            bytes.append(contentsOf: buffer.withUnsafeBytes { Array($0) })
            guard bytes.count > keptBytes else { continue }
            switch kept {
            case .start: bytes.removeLast(bytes.count - keptBytes)
            case .end: bytes.removeFirst(bytes.count - keptBytes)
            }
        }
        return bytes
    }

    private static func status(_ status: TerminationStatus) -> Int32 {
        switch status {
        case .exited(let code): code
        case .signaled(let signal): 128 + signal
        }
    }
}
