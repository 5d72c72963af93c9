import ArgumentParser
import KilnDocuments
import KilnModel
import KilnScenarios

/// `kiln scenario`: verbs on scenario files.
struct ScenarioVerbs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scenario",
        abstract: "List the scenarios that can be run by name, and check lab and scenario files.",
        subcommands: [ScenarioListVerb.self, ScenarioLintVerb.self]
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
    }

    let items: [Item]

    init(path: SearchPath) {
        items = path.names.compactMap { name in
            guard let file = try? path.find(name) else { return nil }
            return Item(name: name, file: file, about: (try? ScenarioFile.scenario(at: file))?.about)
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

    @Argument(help: "The files.", completion: .file(extensions: ["yaml", "yml"]))
    var files: [String]

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let result = await LintResult(labs: files)
        try session.show(result)
        return result.status
    }
}

extension LintResult {
    /// Reads lab and scenario files, with what the store knows of their images and the host's cloud-init of their user-data.
    init(labs files: [String], cloudInit: CloudInitSchema = CloudInitSchema()) async {
        await self.init(files) { path async throws(InvalidFile) in
            let file = try ScenarioFile.lab(at: path, images: KnownImages.manifest)
            return file.warnings + (await cloudInit.warnings(on: file.lab, at: path))
        }
    }
}
