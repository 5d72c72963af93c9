import ArgumentParser
import KilnEngine
import KilnModel
import KilnScenarios
import KilnSystem

/// `kiln report`: what happened in a past run, or to a server.
struct ReportVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Show what happened in a past run of a scenario, or in the life of a server.",
        discussion: """
            The page is one file that needs nothing else, for a projector, a phone or paper. A run that was killed has its report, \
            too, as far as it came; the last 500 runs are remembered. The life of a server is that of its journal.
            """
    )

    @Argument(
        help: ArgumentHelp(
            "A run by its lab, a scenario, of which the latest run is meant, or a server.",
            valueName: "run|server"
        ),
        completion: .reports
    )
    var subject: String

    @Option(help: ArgumentHelp("Write a page to this file.", valueName: "file"), completion: .file())
    var html: String?

    @Flag(help: "Show the page in a browser.")
    var open = false

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let file = try html.map { try ReportFile($0) }
        let workspace = try await session.workspace()
        let (engine, logs) = (workspace.engine, RunLogFiles(folder: workspace.engine.reports))
        let subject = subject
        if let run = try await BlockingWork.run({ () throws -> RunHistory? in try ReportVerb.run(subject, logs, engine)
        }) {
            try session.show(ScenarioResult(report: run.report, isColored: session.terminal.isOutputColored))
            try await show(ReportPage([run]), file, usually: logs.page(of: run.report.lab), session)
            return 0
        }
        let id = try server(subject, engine)
        let history = try engine.history(id)
        let autopilot = try engine.autopilotRecords(of: id)
        try session.show(HistoryView(server: id, history: history, autopilot: autopilot))
        let page = ReportPage(id, history, autopilot: autopilot)
        try await show(page, file, usually: "\(logs.folder)/\(id.lab).\(id.server).html", session)
        return 0
    }

    private static func run(_ subject: String, _ logs: RunLogFiles, _ engine: LabEngine) throws -> RunHistory? {
        guard let lab = logs.run(named: subject) else { return nil }
        return try logs.history(of: lab, isGoingOn: engine.isGoingOn(run: lab))
    }

    private func server(_ subject: String, _ engine: LabEngine) throws -> MemberID {
        do {
            return try engine.member(named: subject)
        } catch let error as KilnError where error.code == .serverMissing {
            throw KilnError(
                .reportMissing,
                "there is no run and no server \(Name.quoted(subject))",
                hint: error.hint.map { "name a run as 'kiln run' named its lab; \($0)" },
                exit: .usage
            )
        }
    }

    private func show(_ page: ReportPage, _ file: ReportFile?, usually path: String, _ session: Session) async throws {
        guard file != nil || open else { return }
        if file == nil { try DurableFile.makeDirectory(DurableFile.directory(of: path)) }
        let file = try file ?? ReportFile(path)
        try await file.write(try page.html())
        session.say("the page is in \(file.path)")
        guard open else { return }
        var command = Command("xdg-open", [file.path], deadline: .seconds(30))
        command.surroundings = .inherited([:])
        try await command.run()
    }
}
