import ArgumentParser
import Foundation
import KilnEngine
import KilnModel

/// `kiln exec`: runs a command in a server's machine.
struct ExecVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "exec",
        abstract: "Run a command in a server, through the guest agent or by SSH; publishes nothing.",
        usage: "kiln exec <server> [--stdin] [--timeout <duration>] [--now] -- <command> ...",
        discussion: """
            Ends with the exit status of the command. Its standard input is empty, so that a script that runs kiln keeps \
            its own; with --stdin it is kiln's, read to the end before the command starts. \
            No shell looks at the command; use 'sh -c' for one. On a terminal, control sequences in the output are escaped.
            """
    )

    /// The most that is taken from standard input; all of it is held in memory.
    static let largestInput = 16 << 20

    @OptionGroup var target: ServerArgument

    @Flag(
        name: [.customShort("i"), .long],
        help: "Give the command kiln's standard input, which must come to its end."
    )
    var stdin = false

    @Option(
        help: ArgumentHelp(
            "How long the command, and the input before it, may take, such as 90s; 60s without it.",
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
        var time = timeout?.duration ?? .seconds(60)
        var input: [UInt8] = []
        if stdin {
            let start = ContinuousClock.now
            input = try await StandardInput.read(atMost: ExecVerb.largestInput, within: time)
            time -= ContinuousClock.now - start
        }
        let engine = try await session.workspace().engine
        let run = GuestCommand(command, input: input, deadline: time)
        let result = try await engine.run(run, on: try engine.server(named: target.server), now: now)
        switch session.format {
        case .table:
            session.progress.clear()
            session.output.write(session.terminal.isOutputInteractive ? escaped(result.output) : result.output)
            session.errors.write(session.terminal.canRewriteLine ? escaped(result.errors) : result.errors)
        case .json, .ndjson: try session.show(CommandOutput(result: result))
        }
        return result.status
    }

    private func escaped(_ bytes: [UInt8]) -> [UInt8] { Array(ConsoleText.escaped(bytes).utf8) }
}

/// What a command in a guest left behind, for programs.
struct CommandOutput: Renderable {
    let result: GuestCommandResult

    struct Payload: Encodable {
        let status: Int32
        let stdout: String
        let stderr: String
    }

    var payload: Payload {
        Payload(
            status: result.status,
            stdout: String(decoding: result.output, as: UTF8.self),
            stderr: String(decoding: result.errors, as: UTF8.self)
        )
    }

    var human: HumanView { .lines([ConsoleText.escaped(result.output)]) }
}
