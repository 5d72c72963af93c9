import ArgumentParser
import KilnDocuments
import KilnModel
import KilnScenarios

/// `kiln scenario`: verbs on scenario files.
struct ScenarioVerbs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scenario",
        abstract: "List the scenarios that can be run by name; write, check and explain lab and scenario files.",
        subcommands: [
            ScenarioListVerb.self, ScenarioNewVerb.self, ScenarioLintVerb.self, ScenarioExplainVerb.self,
            ScenarioSchemaVerb.self,
        ]
    )
}

/// `kiln scenario list`: what `kiln run NAME` finds.
struct ScenarioListVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the scenarios that 'kiln run' finds by name."
    )

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let path = SearchPath(.scenarios)
        if let leftOut = path.leftOut { session.say(leftOut) }
        try session.show(ScenarioList(path: path))
        return 0
    }
}

/// The scenarios in the folders of a search path.
struct ScenarioList: Renderable {
    struct Item: Encodable {
        let name: Name
        let file: String
        /// What it shows; nothing where the file says nothing, or is not understood.
        let about: String?
        /// What it can be chosen by.
        let tags: [Name]
    }

    let items: [Item]

    init(path: SearchPath) {
        items = path.names.compactMap { name in
            guard let file = try? path.find(name) else { return nil }
            let scenario = (try? ScenarioFile.scenarios(at: file))?.first
            return Item(name: name, file: file, about: scenario?.about, tags: scenario?.tags ?? [])
        }
    }

    var payload: [String: [Item]] { ["scenarios": items] }

    var human: HumanView {
        .table(
            TextTable(
                header: ["scenario", "file", "about"],
                rows: items.map { [$0.name.text, $0.file, $0.about ?? "-"] }
            ),
            empty: "no scenarios"
        )
    }
}

/// `kiln scenario lint`: everything that is wrong with lab and scenario files.
struct ScenarioLintVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "lint",
        abstract: "Name every problem of lab and scenario files, with its line and column."
    )

    @Argument(
        help: "The files; without any, \(LabFileOption.defaultPath).",
        completion: .file(extensions: ["yaml", "yml"])
    )
    var files: [String] = []

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let result = await LintResult(labs: files.isEmpty ? [LabFileOption.defaultPath] : files)
        try session.show(result)
        return result.status
    }
}

extension LintResult {
    /// Reads lab and scenario files, with what the store knows of their images and the host's cloud-init of their user-data.
    init(labs files: [String], cloudInit: CloudInitSchema = CloudInitSchema()) async {
        var labsOfAll: [LabSpec] = []
        await self.init(files) { path async throws(InvalidFile) in
            let labs = try ScenarioFile.labs(at: path, images: KnownImages.manifest)
            labsOfAll += labs.map(\.lab)
            var warnings = labs.first?.warnings ?? []
            // The combinations of a matrix may have the same lab, of which nothing is told twice.
            var judged: Set<LabSpec> = []
            for lab in labs.map(\.lab) where judged.insert(lab).inserted {
                for warning in await cloudInit.warnings(on: lab, at: path) where !warnings.contains(warning) {
                    warnings.append(warning)
                }
            }
            return warnings
        }
        notes = [cloudInit.note(on: labsOfAll)].compactMap(\.self)
    }
}

/// `kiln scenario explain`: what a file means, step by step.
struct ScenarioExplainVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Tell what scenarios would do, step by step, with the values of their variables put in."
    )

    @Argument(help: "The scenarios: files, folders of files, or names.", completion: .scenarios)
    var scenarios: [String]

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let chosen = try ScenarioChoice(scenarios, tags: [], isLocked: false, session)
        try session.show(ScenarioExplanation(scenarios: chosen.scenarios))
        return 0
    }
}

/// `kiln scenario schema`: the JSON Schema of lab and scenario files.
struct ScenarioSchemaVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Print the JSON Schema of lab and scenario files, for editors; the same as 'kiln schema lab'."
    )

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        session.output.text(try Renderer.json(SchemaVerb.Files.lab.schema))
        return 0
    }
}

/// `kiln scenario new`: writes a scenario to start from.
struct ScenarioNewVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Write a commented scenario to start from."
    )

    @Argument(help: "The file to write; it must not exist.", completion: .file(extensions: ["yaml", "yml"]))
    var file: String

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        try StarterLab.write(StarterScenario.text, to: file, command: "kiln scenario new FILE")
        try session.show(WrittenFile(path: file, next: "kiln run \(file)"))
        return 0
    }
}
