import ArgumentParser
import KilnModel
import KilnScenarios

/// `kiln run`: runs a scenario and judges it.
struct RunVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run a scenario in a lab of its own, and report what held.",
        discussion: "The lab is removed afterwards. Exit 1: an expectation was unmet; 5: acknowledged data was lost."
    )

    @Argument(help: "The scenario file.", completion: .file(extensions: ["yaml", "yml"]))
    var file: String

    @Flag(help: "Leave the lab as it is if the scenario fails, to look at it.")
    var keepOnFailure = false

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let scenario = try ScenarioFile.scenario(at: file)
        let workspace = try await session.workspace()
        let runner = ScenarioRunner(
            engine: workspace.engine,
            progress: { session.progress.take($0) },
            keepsOnFailure: keepOnFailure
        )
        let report = try await runner.run(scenario)
        try session.show(ScenarioResult(report: report))
        return report.exit.rawValue
    }
}

/// A scenario's report.
struct ScenarioResult: Renderable {
    let report: ScenarioReport

    var payload: ScenarioReport { report }
    var human: HumanView { .lines(report.lines.map(ConsoleText.singleLine)) }
}
