import ArgumentParser
import KilnEngine
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
        let scenario = try ScenarioFile.scenario(at: file, images: KnownImages.manifest)
        session.say(warnings: scenario.warnings)
        let timeline = Timeline()
        let workspace = try await session.workspace { timeline.record($0) }
        let runner = ScenarioRunner(
            scenario: scenario,
            engine: workspace.engine,
            network: workspace.parts.network,
            timeline: timeline,
            options: .init(keepsOnFailure: keepOnFailure, version: KilnCommand.version)
        )
        let report = await runner.run { session.say("step \($0)") }
        try session.show(ScenarioResult(report: report, isColored: session.terminal.isOutputColored))
        return report.exit.rawValue
    }
}

/// A scenario's report.
struct ScenarioResult: Renderable {
    let report: ScenarioReport
    let isColored: Bool

    var payload: ScenarioReport { report }
    var human: HumanView { .text(ReportText(report, color: isColored).text) }
}
