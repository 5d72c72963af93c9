import Foundation
import KilnModel
import Subprocess
import SystemPackage

/// One run of an outside program: an argument vector, never a shell line.
struct Command: Sendable {
    let program: String
    let arguments: [String]
    var environment: [String: String] = [:]
    var directory: String?

    init(_ program: String, _ arguments: [String]) {
        self.program = program
        self.arguments = arguments
    }

    /// Runs it to its end.
    ///
    /// Cancelling the task ends it: politely first, since mmdebstrap removes its scratch folder then.
    ///
    /// - Parameter line: takes each line that it prints.
    /// - Returns: the last lines, 2048 at least where there are so many, for a program that answers something.
    /// - Throws: `KilnError` with code `program.missing` or `program.failed`; `CancellationError`.
    @discardableResult
    func run(line: @Sendable (String) -> Void = { _ in }) async throws -> [String] {
        var options = PlatformOptions()
        options.processGroupID = 0
        options.teardownSequence = [
            .send(signal: .terminate, toProcessGroup: true, allowedDurationToNextStep: .seconds(10)),
            .send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .seconds(1)),
        ]
        let (status, lines) = try await execute(options, line: line)
        try Task.checkCancellation()
        guard status != .exited(127) else { throw missing("setpriv found no such program") }
        guard status == .exited(0) else { throw failed(status, lines) }
        return lines
    }

    private func execute(
        _ options: PlatformOptions,
        line: @Sendable (String) -> Void
    ) async throws -> (TerminationStatus, [String]) {
        // mke2fs and chroot lie where the PATH of a plain user does not lead.
        var variables: [Environment.Key: String?] = [
            "LC_ALL": "C", "LANG": "C", "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        ]
        for (name, value) in environment {
            guard let key = Environment.Key(rawValue: name) else { continue }
            variables[key] = value
        }
        do {
            let result = try await Subprocess.run(
                // The kernel ends the program should this process be killed; nobody else would. Subprocess starts programs
                // from a thread that lives as long as the process, which is what this signal goes by.
                .name("setpriv"),
                arguments: Arguments(["--pdeathsig", "TERM", "--", program] + arguments),
                environment: .inherit.updating(variables),
                workingDirectory: directory.map { FilePath($0) },
                platformOptions: options,
                input: .none,
                output: .sequence,
                error: .combinedWithOutput
            ) { execution in
                var kept: [String] = []
                for try await text in execution.standardOutput.strings(separatedBy: .lineBreaks) {
                    line(text)
                    kept.append(text)
                    if kept.count > 4096 { kept.removeFirst(2048) }
                }
                return kept
            }
            return (result.terminationStatus, result.closureResult)
        } catch let error as SubprocessError {
            try Task.checkCancellation()
            throw missing("\(error)")
        }
    }

    private func missing(_ cause: String) -> KilnError {
        KilnError(
            "program.missing",
            "can't run \(program)",
            hint: "install it; 'make setup' installs what Kiln needs",
            cause: cause
        )
    }

    private func failed(_ status: TerminationStatus, _ lines: [String]) -> KilnError {
        KilnError(
            "program.failed",
            "\(program) \(arguments.prefix(2).joined(separator: " ")) failed: \(status)",
            cause: lines.suffix(12).joined(separator: "\n")
        )
    }
}
