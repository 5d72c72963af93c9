import KilnDocuments
import KilnEngine
import KilnModel

/// `copy-in`: writes a file in a guest.
struct CopyInStep: StepAction {
    static let kind = StepKind(
        word: "copy-in",
        about: "Writes a file in a guest: a text, or a file beside this one.",
        fields: { Schema.object(CopyInFields.self, $0) },
        decode: { CopyInStep($0, $1) }
    )

    /// What is written.
    enum Content: Sendable {
        case text(SavedText)
        case file(name: String, bytes: [UInt8])
    }

    let server: ServerMember
    let path: String
    let content: Content

    init?(_ value: Value, _ reader: StepReader) {
        guard let fields = Fields<CopyInFields>(value, "a map with 'server', 'to', and 'content' or 'from'") else {
            return nil
        }
        let server = reader.member(fields[.server])
        let path = fields[.to]?.guestPath("the file in the guest")
        let text = fields[.content].map { reader.text($0) }
        let file = fields[.from].map { CopyInStep.file($0) }
        guard (text == nil) != (file == nil) else {
            value.problem("expected 'content' or 'from', found \(text == nil ? "neither" : "both")")
            return nil
        }
        let content = text.map { $0.map(Content.text) } ?? file ?? nil
        guard let server, let path, let content else { return nil }
        self.server = server
        self.path = path
        self.content = content
    }

    // Read with the scenario, so that a file that is missing is told before anything runs.
    private static func file(_ value: Value) -> Content? {
        guard let path = value.neighbour("the path of a file") else { return nil }
        let problems = ProblemList(file: path)
        value.problems.include(problems)
        return TextFile.bytes(path, problems).map { .file(name: path, bytes: $0) }
    }

    var summary: String { "copy-in \(server) \(path)" }

    func foresee(_ forecast: inout LabForecast) { forecast.require(server.server) }

    func perform(_ context: RunContext, as id: StepID) async throws -> StepYield {
        let bytes: [UInt8]
        switch content {
        case .text(let text): bytes = Array(text.resolved(await context.known).utf8)
        case .file(_, let content): bytes = content
        }
        try await context.engine.write(bytes, to: path, on: context.id(server))
        return StepYield(message: "\(bytes.count) bytes")
    }
}

/// The fields of a `copy-in` step.
enum CopyInFields: String, FileField {
    case server, to, content, from

    static let required: [CopyInFields] = [.server, .to]

    var schema: JSONValue {
        switch self {
        case .server: Schema.member("The server.")
        case .to: Schema.guestPath("The file in the guest; what it held is gone.")
        case .content: Schema.text("What it gets to hold.")
        case .from: Schema.text("A file of at most 1 MiB, relative to this one, whose content it gets.")
        }
    }
}
