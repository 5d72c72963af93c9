import Foundation
import KilnModel
import Logging
import Subprocess
import SystemPackage

extension Command {
    /// Runs a program within its deadline, turns what goes wrong into a `KilnError`, and traces it.
    func supervised(_ run: @escaping @Sendable (Configuration) async throws -> Output) async throws -> Output {
        let launch = try launch()
        let start = ContinuousClock.now
        do {
            let output = try await withDeadline(deadline, operation: "run \(program)") { try await run(launch) }
            try Task.checkCancellation()
            log(start, outcome: "status \(output.status)")
            return output
        } catch is DeadlineExceeded {
            log(start, outcome: "killed at its deadline")
            throw KilnError(
                .toolDeadline,
                "\(program) \(arguments.first ?? "") was still running after \(deadline) and was killed",
                exit: .deadline
            )
        } catch let error as SubprocessError {
            try Task.checkCancellation()
            log(start, outcome: "not run")
            throw KilnError(.toolFailed, "\(program) could not be run", cause: "\(error)")
        } catch {
            log(start, outcome: "cancelled")
            throw error
        }
    }

    /// The program in a process group of its own, so that a terminal's Ctrl-C reaches it only through cancellation, which
    /// ends the whole group.
    private func launch() throws -> Configuration {
        var options = PlatformOptions()
        options.processGroupID = 0
        options.teardownSequence =
            (grace > .zero ? [.send(signal: .terminate, toProcessGroup: true, allowedDurationToNextStep: grace)] : [])
            + [.send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .seconds(1))]
        let line = try commandLine()
        return Configuration(
            executable: .path(FilePath(line[0])),
            arguments: Arguments(Array(line.dropFirst())),
            environment: environment,
            platformOptions: options
        )
    }

    private func commandLine() throws -> [String] {
        var line = [try Command.path(of: program)] + arguments
        if let limits {
            line =
                [
                    try Command.path(of: "prlimit"), "--cpu=\(limits.processorSeconds)",
                    "--as=\(limits.addressSpace.bytes)", "--core=0",
                ] + (limits.fileSize.map { ["--fsize=\($0.bytes)"] } ?? []) + ["--"] + line
        }
        if let user {
            line =
                [
                    try Command.path(of: "setpriv"), "--reuid=\(user.uid)", "--regid=\(user.gid)", "--clear-groups",
                    "--no-new-privs", "--",
                ] + line
        }
        // swift-subprocess starts programs from a thread that lives as long as the process, which is what this signal
        // goes by.
        if endsWithParent { line = [try Command.path(of: "setpriv"), "--pdeathsig", "TERM", "--"] + line }
        return line
    }

    private var environment: Environment {
        switch surroundings {
        case .clean: return .custom(Command.clean)
        case .only(let more): return .custom(Command.clean.merging(Command.keyed(more)) { _, given in given })
        case .inherited(let more):
            let usual: [Environment.Key: String] = ["LC_ALL": "C", "LANG": "C", "PATH": ProgramPath.text]
            let variables = usual.merging(Command.keyed(more)) { _, given in given }
            return .inherit.updating(variables.mapValues(Optional.some))
        }
    }

    private static let clean: [Environment.Key: String] = [
        "PATH": ProgramPath.text, "LANG": "C", "LC_ALL": "C", "HOME": "/nonexistent", "TZ": "UTC",
    ]

    private static func keyed(_ variables: [String: String]) -> [Environment.Key: String] {
        var keyed: [Environment.Key: String] = [:]
        for (name, value) in variables {
            guard let key = Environment.Key(rawValue: name) else { continue }
            keyed[key] = value
        }
        return keyed
    }

    /// Of the arguments only their number and length is traced: they may hold secrets.
    private func log(_ start: ContinuousClock.Instant, outcome: String) {
        let bytes = arguments.reduce(0) { $0 + $1.utf8.count }
        Command.logger.debug(
            "\(program)",
            metadata: [
                "arguments": "\(arguments.count)", "bytes": "\(bytes)", "outcome": "\(outcome)",
                "ms": "\(Int(start.duration(to: .now) / .milliseconds(1)))",
            ]
        )
    }

    private static var logger: Logger { Logger(label: "program") }
}
