import KilnDocuments
import KilnEngine
import KilnModel
import KilnSystem

/// `exec`: runs a command in a guest and compares how it ends.
struct ExecStep: StepAction {
    static let kind = StepKind(
        word: "exec",
        outputs: ["stdout", "stderr", "status"],
        about: "Runs a command in a guest.",
        fields: { Schema.object(ExecFields.self, $0) },
        decode: { ExecStep($0, $1) }
    )

    let server: ServerMember
    /// Program and arguments; a text in the file becomes `/bin/sh -c TEXT`.
    let arguments: [SavedText]
    /// The expected exit status.
    let exit: Int
    /// What the standard output has to contain.
    let contains: SavedText?
    /// How long the command may take at least.
    private var limit = GuestCommand.usualDeadline

    init?(_ value: Value, _ reader: StepReader) {
        guard let fields = Fields<ExecFields>(value, "a map with 'server' and 'command'") else { return nil }
        let server = reader.member(fields[.server])
        let arguments = fields[.command].flatMap(reader.command)
        let exit = fields[.exit].map { $0.whole(in: 0...255) } ?? 0
        let contains = fields[.contains].map { reader.text($0) }
        guard let server, let arguments, let exit, contains != .some(nil) else { return nil }
        if arguments.contains(where: { reader.lab.externals.areNamed(in: $0.text) }),
            reader.lab.server(server.server)?.spec?.network == .isolated
        {
            fields[.command]?.problem(ExternalNames.isolated(server.server))
        }
        self.server = server
        self.arguments = arguments
        self.exit = exit
        self.contains = contains ?? nil
    }

    /// The most that is kept of what a command writes.
    private static let kept = 16 << 20

    var summary: String { "exec \(server)" }

    func foresee(_ forecast: inout LabForecast) { forecast.require(server.server) }

    func allowing(_ limit: Duration) -> any StepAction {
        var step = self
        step.limit = max(limit, GuestCommand.usualDeadline)
        return step
    }

    func perform(_ context: RunContext, as id: StepID) async throws -> StepYield {
        let known = await context.known
        let command = GuestCommand(
            arguments.map { $0.resolved(known) },
            deadline: context.scale.of(limit)
        )
        let result = try await context.engine.collect(command, keeping: Self.kept, on: context.id(server))
        guard result.status == Int32(exit) else {
            throw Unmet(
                "\(server): exit status \(exit) expected, \(result.status) found; it said \(ExecStep.start(result.errors))"
            )
        }
        let text = contains?.resolved(known)
        if let text, !String(decoding: result.output, as: UTF8.self).contains(text) {
            throw Unmet(
                "\(server): \(Name.quoted(text)) expected in the output, found \(ExecStep.start(result.output))"
                    + (result.isCut ? ", and more than 16 MiB, which were not looked at" : "")
            )
        }
        return StepYield(outputs: [
            "stdout": SavedOutput.text(result.output), "stderr": SavedOutput.text(result.errors),
            "status": "\(result.status)",
        ])
    }

    private static func start(_ bytes: [UInt8]) -> String {
        "'\(Printable.line(Printable.text(bytes.prefix(300))))'"
    }
}

/// The fields of an `exec` step.
enum ExecFields: String, FileField {
    case server, command, exit, contains

    static let required: [ExecFields] = [.server, .command]

    var schema: JSONValue {
        switch self {
        case .server: Schema.member("The server whose machine runs it.")
        case .command:
            Schema.command("What to run; it may take 60s, or as long as the step's 'timeout' where that is longer.")
        case .exit: Schema.whole(0...255, "The expected exit status; 0 without it.")
        case .contains: Schema.text("What the standard output has to contain.")
        }
    }
}
