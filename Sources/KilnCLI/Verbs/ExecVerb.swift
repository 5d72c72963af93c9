import ArgumentParser
import Foundation
import KilnEngine
import KilnModel

/// `kiln exec`: runs a command in a server's machine.
struct ExecVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "exec",
        abstract: "Run a command in a server, through the guest agent or by SSH; no port has to be published for it.",
        usage: "kiln exec <server> [--stdin] [--timeout <duration>] [--now] -- <command> ...",
        discussion: """
            Ends with the exit status of the command, whose output appears as it comes, of any size. Its standard input is \
            empty, so that a script that runs kiln keeps its own; with --stdin it is kiln's, handed on as it comes. \
            Where nobody reads kiln's output any more it ends with 141; as after Ctrl-C, the command goes on in the guest. \
            Through the agent, one whose --stdin breaks off with that gets SIGTERM: it must not take a part for all. \
            No shell looks at the command; use 'sh -c' for one. On a terminal, control sequences in the output are escaped.
            """
    )

    /// The most that is kept of each stream where all of it has to be in one document.
    static let kept = 16 << 20

    @OptionGroup var target: ServerArgument

    @Flag(
        name: [.customShort("i"), .long],
        help: "Give the command kiln's standard input."
    )
    var stdin = false

    @Option(
        help: ArgumentHelp(
            "How long all of it may take, such as 90s; without it the command has 60s, once it begins.",
            valueName: "duration"
        )
    )
    var timeout: Patience?

    @Flag(help: "Do not wait until a server that boots has mounted its volumes.")
    var now = false

    @Argument(parsing: .postTerminator, help: "The command and its arguments.")
    var command: [String] = []

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if command.isEmpty { throw ValidationError("Name the command: kiln exec SERVER -- CMD...") }
    }

    func execute(_ session: Session) async throws -> Int32 {
        // For people; a script may give kiln its own input, once for each of many commands.
        if !stdin, session.terminal.canRewriteLine, StandardInput.isUnreadFile() {
            session.say("note: standard input is not given to the command; use -i for that")
        }
        return try await Deadline.within(
            timeout?.duration,
            "\(target.server): the command had not ended",
            hint: "if it had begun, it goes on in the guest; look there, or raise --timeout"
        ) {
            do {
                return try await run(session)
            } catch is CancellationError where session.output.state() == .unread && !Task.isCancelled {
                // 128 and SIGPIPE, as a shell says it of a program whose reader went away.
                return 141
            }
        }
    }

    private func run(_ session: Session) async throws -> Int32 {
        let engine = try await session.workspace().engine
        let id = try engine.member(named: target.server)
        let run = GuestCommand(command, deadline: timeout?.duration ?? .seconds(60))
        let input: (@Sendable () async throws -> [UInt8])? =
            stdin ? { @Sendable in try await StandardInput.next() } : nil
        let result: GuestCommandResult
        switch session.format {
        case .table:
            let printer = DialoguePrinter(session)
            let dialogue = GuestDialogue(input: input, take: printer.take)
            let ending = try await engine.converse(run, dialogue, on: id, now: now)
            printer.finish()
            result = GuestCommandResult(status: ending.status, output: [], errors: [], isCut: ending.isCut)
        case .json, .ndjson:
            let transcript = GuestTranscript(limit: ExecVerb.kept)
            let dialogue = GuestDialogue(input: input, take: transcript.take)
            result = transcript.result(try await engine.converse(run, dialogue, on: id, now: now))
            try session.show(CommandOutput(result: result))
        }
        if result.isCut { session.say("note: the output of the command is not whole") }
        return result.status
    }
}

/// What a command in a guest left behind, for programs.
struct CommandOutput: Renderable {
    let result: GuestCommandResult

    struct Payload: Encodable {
        let status: Int32
        let stdout: String
        let stderr: String
        let truncated: Bool
    }

    var payload: Payload {
        Payload(
            status: result.status,
            stdout: String(decoding: result.output, as: UTF8.self),
            stderr: String(decoding: result.errors, as: UTF8.self),
            truncated: result.isCut
        )
    }

    var human: HumanView { .lines([ConsoleText.escaped(result.output)]) }
}
