import ArgumentParser
import Foundation
import KilnEngine
import KilnModel
import KilnScenarios

/// `kiln run`: runs a scenario and judges it.
struct RunVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run a scenario in a lab of its own, and report what it found.",
        discussion: "The lab is removed afterwards. Exit 1: an expectation was not met; 5: acknowledged data was lost."
    )

    @Argument(
        help: ArgumentHelp(
            "The scenario's file, or its name.",
            discussion:
                "A name is searched for in ./Scenarios, kiln/scenarios in the user's data ($XDG_DATA_HOME), and in what is "
                + "installed; 'kiln scenario list' shows them."
        ),
        completion: .scenarios
    )
    var scenario: String

    @Flag(help: "Leave the lab as it is if the scenario fails, to look at it.")
    var keepOnFailure = false

    @Flag(help: "Take the images that 'kiln lock' wrote down for the file.")
    var locked = false

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let path = try RunVerb.path(of: scenario, session)
        return try await session.run(path, keepsOnFailure: keepOnFailure, isLocked: locked)
    }

    /// The file: what looks like one or is one, else what has that name.
    static func path(of text: String, _ session: Session) throws -> String {
        guard !text.contains("/"), !text.contains("."), !FileManager.default.fileExists(atPath: text) else {
            return text
        }
        return try SearchPath(.scenarios).find(try Name(text), session)
    }
}

extension Session {
    /// Carries out the scenario in a file, and shows its report; returns the exit status.
    func run(_ path: String, keepsOnFailure: Bool = false, isLocked: Bool = false) async throws -> Int32 {
        let written = try ScenarioFile.scenario(at: path, images: KnownImages.manifest)
        say(warnings: written.warnings)
        let scenario =
            isLocked ? try written.pinned(by: .read(beside: path, naming: written.movableImages)) : written
        let timeline = Timeline()
        let workspace = try await workspace { timeline.record($0) }
        let runner = ScenarioRunner(
            scenario: scenario,
            engine: workspace.engine,
            network: workspace.parts.network,
            timeline: timeline,
            options: .init(keepsOnFailure: keepsOnFailure, version: KilnCommand.version)
        )
        let report = await runner.run { say("step \($0)") }
        try show(ScenarioResult(report: report, isColored: terminal.isOutputColored))
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
