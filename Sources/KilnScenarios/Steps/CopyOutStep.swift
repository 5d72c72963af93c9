import KilnDocuments
import KilnEngine
import KilnModel

/// `copy-out`: keeps a file of a guest with what the run leaves behind.
struct CopyOutStep: StepAction {
    static let kind = StepKind(
        word: "copy-out",
        outputs: ["content", "sha256"],
        about: "Reads a file of a guest, and keeps it where 'as' names it.",
        fields: { Schema.object(CopyOutFields.self, $0) },
        decode: { CopyOutStep($0, $1) }
    )

    /// The largest file.
    static let largest = 64 << 20

    let server: ServerMember
    let path: String
    /// What the file is called among those that the run keeps; nothing where it is only read.
    let name: String?

    init?(_ value: Value, _ reader: StepReader) {
        guard let fields = Fields<CopyOutFields>(value, "a map with 'server' and 'from'") else { return nil }
        let server = reader.member(fields[.server])
        let path = fields[.from]?.guestPath("the file in the guest")
        let name = fields[.as].map { $0.text(.keptFile) }
        guard let server, let path, name != .some(nil) else { return nil }
        self.server = server
        self.path = path
        self.name = name ?? nil
    }

    var summary: String { "copy-out \(server) \(path)" }

    func foresee(_ forecast: inout LabForecast) { forecast.require(server.server) }

    func perform(_ context: RunContext, as id: StepID) async throws -> StepYield {
        guard let bytes = try await context.engine.read(path, on: context.id(server), limit: CopyOutStep.largest) else {
            throw Unmet("\(server): a file \(path) expected, none found")
        }
        let kept = try await context.keep(bytes, as: name)
        return StepYield(
            message: kept.map { "\(bytes.count) bytes in \($0)" } ?? "\(bytes.count) bytes",
            outputs: ["content": SavedOutput.text(bytes), "sha256": SavedOutput.sha256(bytes)]
        )
    }
}

/// The fields of a `copy-out` step.
enum CopyOutFields: String, FileField {
    case server, from, `as`

    static let required: [CopyOutFields] = [.server, .from]

    var schema: JSONValue {
        switch self {
        case .server: Schema.member("The server.")
        case .from: Schema.guestPath("The file in the guest, of at most 64 MiB.")
        case .as: Schema.text(.keptFile, "What it is called among the files that the run keeps.")
        }
    }
}

extension TextForm {
    /// The name of a file, which is one part of a path everywhere.
    static let keptFile = TextForm(
        "a file's name of 1 to 80 letters, digits and '._-', not starting with '.' or '-'",
        pattern: "^[A-Za-z0-9_][A-Za-z0-9._-]{0,79}$"
    ) { text in
        let isWord = text.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                || "._-".utf8.contains(byte)
        }
        return isWord && (1...80).contains(text.utf8.count) && !".-".contains(text.prefix(1))
    }
}
