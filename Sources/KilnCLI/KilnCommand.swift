import ArgumentParser
import Foundation
import KilnModel
import KilnSystem
import KilnVersion

/// `kiln`.
public struct KilnCommand: AsyncParsableCommand {
    /// The version of Kiln, with its commit.
    public static let version = KilnVersion.text

    /// What every reader of a help or manual has to know first.
    public static let introduction = """
        A lab file declares servers and volumes; 'kiln init' writes one to start from. \
        Data goes to standard output, progress and errors to standard error.
        """

    /// The verbs in groups, and the exit codes.
    public static let configuration = CommandConfiguration(
        commandName: "kiln",
        abstract: "Servers that are never modified, only replaced.",
        discussion: """
            \(introduction)

            EXIT CODES:
            \(ExitCode.allCases.map(\.helpLine).joined(separator: "\n"))

            'kiln help errors' lists the codes of errors, which --format json gives with every error.
            """,
        version: version,
        groupedSubcommands: [
            CommandGroup(
                name: "Labs:",
                subcommands: [
                    InitVerb.self, LockVerb.self, UpVerb.self, PsVerb.self, WatchVerb.self, AutopilotVerb.self,
                    DownVerb.self,
                ]
            ),
            CommandGroup(
                name: "Servers:",
                subcommands: [
                    ReplaceVerb.self, RolloutVerbs.self, RollbackVerb.self, RecoverVerb.self, ScaleVerb.self,
                    ShowVerb.self,
                    HistoryVerb.self,
                    DriftVerb.self, StartVerb.self, StopVerb.self, WaitVerb.self,
                ]
            ),
            CommandGroup(
                name: "Inside a server:",
                subcommands: [ExecVerb.self, CpVerb.self, SSHVerb.self, ConsoleVerb.self, LogsVerb.self]
            ),
            CommandGroup(
                name: "Scenarios:",
                subcommands: [
                    DemoVerb.self, LearnVerbs.self, RunVerb.self, ReportVerb.self, ScenarioVerbs.self, SchemaVerb.self,
                ]
            ),
            CommandGroup(
                name: "Images, volumes and the host:",
                subcommands: [ImageVerbs.self, VolumeVerbs.self, DoctorVerb.self, GcVerb.self]
            ),
            CommandGroup(name: "More help:", subcommands: [ErrorsVerb.self]),
        ]
    )

    /// A command without arguments, which prints its help.
    public init() {}

    /// Runs a command line, without the name of the program; returns the exit status.
    ///
    /// The first SIGINT or SIGTERM cancels the command, which then rolls back what it began; the second ends the process.
    public static func status(of arguments: [String]) async -> Int32 {
        let task = Task { await perform(arguments) }
        Interruption.install {
            let start = Terminal.current.canRewriteLine ? "\n" : ""
            // A pipe that is full, and that nobody reads, must not keep the command from being cancelled.
            if Descriptor.isReady(STDERR_FILENO, for: .writing) {
                ByteSink.descriptor(2).text("\(start)interrupted: leaving a safe state; once more to end at once\n")
            }
            task.cancel()
        }
        return await task.value
    }

    private static func perform(_ arguments: [String]) async -> Int32 {
        do {
            var command = try parseAsRoot(ErrorsVerb.asked(arguments))
            if let verb = command as? any Verb {
                let session = Session(verb.global)
                TraceOutput.start(
                    isDebug: verb.global.debug,
                    environment: ProcessEnvironment.variables,
                    session
                )
                return await verb.status(in: session)
            }
            try command.run()
            return 0
        } catch {
            return explained(error, arguments)
        }
    }

    /// What ArgumentParser has to say: help and completion scripts on standard output, mistakes on standard error.
    private static func explained(_ error: any Error, _ arguments: [String]) -> Int32 {
        let status = exitCode(for: error).rawValue
        let text = fullMessage(for: error) + "\n"
        guard status != 0 else {
            ByteSink.descriptor(1).text(text)
            return 0
        }
        ByteSink.descriptor(2).text(text)
        if wantsJSON(arguments) {
            let mistake = KilnError(.usage, message(for: error), hint: "see 'kiln --help'", exit: .usage)
            if let json = try? Renderer.json(ErrorReport(mistake)) { ByteSink.descriptor(1).text(json) }
        }
        return status
    }

    static func wantsJSON(_ arguments: [String]) -> Bool {
        let own = arguments.prefix { $0 != "--" }
        return ["json", "ndjson"].contains { format in
            own.contains("--format=\(format)") || zip(own, own.dropFirst()).contains { $0 == ("--format", format) }
        }
    }
}
