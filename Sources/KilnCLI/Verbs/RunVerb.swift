import ArgumentParser
import Foundation
import KilnEngine
import KilnModel
import KilnScenarios
import KilnStore
import KilnSystem

/// `kiln run`: runs scenarios and judges them.
struct RunVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run scenarios, each in a lab of its own, and report what they found.",
        discussion: """
            The labs are removed afterwards. Exit 1: an expectation was not met; 5: acknowledged data was lost. Of several \
            scenarios, lost data decides, then the first that did not pass. With --format ndjson, every event is a line. In \
            GitHub Actions a failure is annotated at its line, and the job's summary gets a table. 'kiln report' shows past runs.
            """
    )

    @Argument(
        help: ArgumentHelp(
            "The scenarios: files, folders of files, or names.",
            discussion:
                "A name is searched for in ./Scenarios, kiln/scenarios in the user's data ($XDG_DATA_HOME), and in what is "
                + "installed; 'kiln scenario list' shows them."
        ),
        completion: .scenarios
    )
    var scenarios: [String]

    @Option(name: .shortAndLong, help: ArgumentHelp("How many run at the same time.", valueName: "n"))
    var jobs = 1

    @Option(help: ArgumentHelp("Only those with this tag; given several times, with any of them.", valueName: "tag"))
    var tag: [String] = []

    @Option(name: .customLong("repeat"), help: ArgumentHelp("How often each is run.", valueName: "n"))
    var times = 1

    @Flag(help: "Begin no further scenario once one did not pass.")
    var failFast = false

    @Flag(help: "Only those of them whose latest run did not pass.")
    var rerunFailed = false

    @Flag(
        help: ArgumentHelp(
            "Bake the images that the store lacks first, from recipes that are found by their names.",
            discussion: "Those of a lab that takes tested images only are tested, too."
        )
    )
    var bake = false

    @Option(
        help: ArgumentHelp(
            "What is left to chance comes from this number.",
            discussion:
                "Each run tells its own; with it, a run that failed can be repeated. Without it each has a new one.",
            valueName: "number"
        )
    )
    var seed: UInt32?

    @Option(
        help: ArgumentHelp(
            "By how much deadlines are multiplied, 0.1 to 100; by 2.5 without KVM, where it is left out.",
            discussion:
                "Never what is judged: unavailable-at-most, failed-requests-at-most and ready-within stay as they are written.",
            valueName: "factor"
        )
    )
    var timeoutScale: Double?

    @Option(help: "When the lab stays as it is: never, after a failure, or always.")
    var keep = ScenarioRunner.Keep.never

    @Flag(help: .hidden)
    var keepOnFailure = false

    @Flag(help: "Before each step, tell what it does and wait for Enter.")
    var step = false

    @Flag(help: "At the first step that fails, open a shell, with the lab as it is; its end goes on with the run's.")
    var shellOnFailure = false

    @Flag(help: "Only tell what would be done.")
    var dryRun = false

    @Flag(help: "Take the images that 'kiln lock' wrote down for the file.")
    var locked = false

    @Option(
        help: ArgumentHelp("Write the reports to this file as JUnit XML, which CI systems read.", valueName: "file"),
        completion: .file()
    )
    var junit: String?

    @Option(
        help: ArgumentHelp("Write a page that shows what happened to this file.", valueName: "file"),
        completion: .file()
    )
    var html: String?

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard (1...16).contains(jobs) else { throw ValidationError("-j takes 1 to 16.") }
        guard (1...1000).contains(times) else { throw ValidationError("--repeat takes 1 to 1000.") }
        guard !step || jobs == 1 else {
            throw ValidationError("--step goes through one scenario at a time; leave -j out.")
        }
        guard !shellOnFailure || jobs == 1 else {
            throw ValidationError("--shell-on-failure opens one shell at a time; leave -j out.")
        }
        if let timeoutScale, !TimeoutScale.range.contains(timeoutScale) {
            throw ValidationError("--timeout-scale takes 0.1 to 100.")
        }
        guard !dryRun || junit == nil && html == nil else {
            throw ValidationError("--dry-run does nothing that could be reported; leave --junit and --html out.")
        }
        if let wrong = tag.first(where: { !Name.accepts($0) }) { throw ValidationError("'\(wrong)' is no tag.") }
    }

    func execute(_ session: Session) async throws -> Int32 {
        guard let world = OwnWorld.current else { return try await run(in: nil, session) }
        do {
            let status = try await run(in: world, session)
            await world.leave()
            return status
        } catch {
            await world.leave()
            throw error
        }
    }

    private func run(in world: OwnWorld?, _ session: Session) async throws -> Int32 {
        // What is said of the files was said before this command became itself once more.
        let told = world == nil ? session : session.hushed
        let all = try ScenarioChoice(scenarios, tags: Set(tag), isLocked: locked, told).scenarios
        let chosen = rerunFailed ? try await failed(among: all, session) : all
        if chosen.isEmpty { session.say("nothing to run again: none of them failed when it ran last") }
        if dryRun {
            try session.show(ScenarioExplanation(scenarios: chosen))
            return 0
        }
        if step && !session.terminal.isInputInteractive {
            throw noTerminal("--step waits for Enter")
        }
        if shellOnFailure && !session.terminal.isInputInteractive {
            throw noTerminal("--shell-on-failure opens a shell")
        }
        let outputs = RunOutputs(
            junit: try junit.map { try ReportFile($0) },
            html: try html.map { try ReportFile($0) },
            environment: ProcessInfo.processInfo.environment
        )
        // A home of the run's own gets copies of them.
        if world == nil {
            let images = RunImages(workspace: try await session.workspace(), session: session)
            try await images.provide(for: chosen, bakes: bake)
        }
        try await provideOwnHome(for: chosen, world, session)
        let runs = chosen.flatMap { Array(repeating: $0, count: times) }
        let batch = RunBatch(
            session: session,
            keep: keepOnFailure ? .failed : keep,
            isStepped: step,
            jobs: jobs,
            endsAtFailure: failFast,
            seed: seed.map { RunSeed($0) },
            scale: try timeoutScale.map { try TimeoutScale($0) },
            shell: shellOnFailure ? FailureShell(session: session, connect: global.connect) : nil,
            connect: global.connect,
            outputs: outputs
        )
        return try await batch.run(runs)
    }

    /// Sees to it that scenarios which break what belongs to the host run where that is the run's own.
    private func provideOwnHome(for chosen: [Scenario], _ world: OwnWorld?, _ session: Session) async throws {
        guard let own = chosen.first(where: \.needsOwnHome) else { return }
        if let other = chosen.first(where: { !$0.needsOwnHome }) {
            throw KilnError(
                .usage,
                "'\(own.title)' breaks what belongs to the host, and runs in a home of its own; '\(other.title)' does not",
                hint: "run them by two commands",
                exit: .usage
            )
        }
        guard keep == .never, !keepOnFailure else {
            throw KilnError(
                .usage,
                "no lab can be kept of '\(own.title)': it runs in a home of its own, which is gone afterwards",
                hint: "leave --keep out; --shell-on-failure shows the lab as it is",
                exit: .usage
            )
        }
        if let world { return try world.furnish(for: chosen) }
        session.progress.clear()
        try await OwnWorld.enter(try await session.workspace(), chosen)
    }

    private func noTerminal(_ need: String) -> KilnError {
        KilnError(
            .usage,
            "\(need), and standard input is no terminal",
            hint: "run it in a terminal, or leave the option out",
            exit: .usage
        )
    }

    private func failed(among scenarios: [Scenario], _ session: Session) async throws -> [Scenario] {
        let logs = RunLogFiles(folder: try await session.workspace().engine.reports)
        return await BlockingWork.run { logs.failed(among: scenarios) }
    }

    /// The file: what looks like one or is one, else what has that name.
    static func path(of text: String, _ session: Session) throws -> String {
        guard !text.contains("/"), !text.contains("."), !FileManager.default.fileExists(atPath: text) else {
            return text
        }
        return try SearchPath(.scenarios).find(try Name(text), session)
    }
}

extension ScenarioRunner.Keep: ExpressibleByArgument {}

extension Session {
    /// Carries out the scenario in a file, and shows its report; returns the exit status.
    func run(_ path: String) async throws -> Int32 {
        let chosen = try ScenarioChoice([path], tags: [], isLocked: false, self)
        return try await RunBatch(session: self, keep: .never).run(chosen.scenarios)
    }
}
