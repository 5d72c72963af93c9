import ArgumentParser
import Foundation
import KilnDocuments
import KilnEngine
import KilnModel
import KilnScenarios
import KilnStore

/// What the verbs of lessons work with: the book of what was done, and the lab.
struct LessonDesk: Sendable {
    let session: Session
    let workspace: Workspace
    let book: LessonBook
    /// Where everything is told that happens in the lab.
    private let events: RunEvents
    private let connect: String?

    init(_ session: Session, connect: String? = nil) async throws {
        let events = RunEvents()
        let workspace = try await session.workspace { events.record($0) }
        self.session = session
        self.workspace = workspace
        book = LessonBook(root: workspace.state.lessons)
        self.events = events
        self.connect = connect
    }

    /// The folder of a lesson that is named, or whose folder is.
    static func folder(of text: String, _ session: Session) throws -> String {
        guard !isPath(text), let name = try? Name(text) else { return whole(text) }
        return try SearchPath(.lessons).find(name, session)
    }

    /// What a lesson is called that is named, or whose folder is.
    static func name(of text: String) -> String {
        isPath(text) ? URL(fileURLWithPath: whole(text)).lastPathComponent : text
    }

    /// Whether a folder is named, and not a lesson that is searched for.
    static func isPath(_ text: String) -> Bool { text.contains("/") || !Name.accepts(text) }

    // The file stands for its folder, whose name is that of the lesson, so it may not end in a slash.
    private static func whole(_ text: String) -> String {
        let file = "/" + LessonFile.name
        let folder = text.hasSuffix(file) ? String(text.dropLast(file.count)) : text
        return folder.hasSuffix("/") ? String(folder.dropLast()) : folder
    }

    /// Which lesson comes next; nothing where all are done.
    static func next(after record: LessonRecord) -> Name? {
        lessons(in: SearchPath(.lessons)).map(\.name).first { !record.done.contains($0) }
    }

    /// The lessons that are found by name, in their order; one that is not understood is known by its name only.
    static func lessons(in path: SearchPath) -> [(name: Name, folder: String, lesson: Lesson?)] {
        let found = path.names.compactMap { name in
            (try? path.find(name)).map { (name: name, folder: $0, lesson: try? LessonFile.lesson(in: $0)) }
        }
        return found.sorted { ($0.lesson?.order ?? .max, $0.name) < ($1.lesson?.order ?? .max, $1.name) }
    }

    /// The lesson that is begun, as it was then.
    ///
    /// - Throws: `state.unreadable` where somebody has changed that.
    func lesson(_ current: LessonRecord.Current) throws -> Lesson {
        do {
            return try LessonFile.lesson(in: book.original(of: current.lesson), images: KnownImages.manifest)
        } catch {
            throw KilnError(
                .stateUnreadable,
                "the lesson '\(current.lesson)': its own copy expected as it was begun, found a changed one",
                hint: "give it up with 'kiln learn reset', then '\(current.start)' begins it anew",
                cause: error.problems.first.map { "\($0)" }
            )
        }
    }

    /// What performs steps in the lab.
    func run(_ lesson: Lesson) -> LessonRun {
        LessonRun(
            lesson,
            engine: workspace.engine,
            network: workspace.parts.network,
            events: events,
            kiln: OwnKiln(program: Workspace.executable, connect: connect)
        )
    }
}

// MARK: - Its lab

extension LessonDesk {
    /// Makes the lab and what the lesson begins with.
    func makeSetting(of lesson: Lesson, _ current: LessonRecord.Current?) async throws {
        try await book.open(lesson)
        _ = try await workspace.engine.up(lesson.setting.lab, only: lesson.setting.servers)
        let outcome = try await run(lesson).perform(lesson.setting.steps)
        guard !outcome.isPassed else { return }
        if let error = outcome.error { throw error }
        let found = outcome.results.first { $0.outcome == .failed }?.detail ?? "nothing more is known"
        throw KilnError(
            .learnSettingFailed,
            "the setting of '\(lesson.name)': all of its steps expected, one that failed found: \(found)",
            hint: current.map { "try once more: '\($0.start)'" },
            exit: .aborted
        )
    }

    /// Removes the lab and all that it holds, and puts back what was changed outside of it; what is done already is no error.
    ///
    /// The trainee's files stay until it is kept that the lesson is over, for whoever is killed in between reads them once more.
    func removeLab(of lesson: Name, _ finally: [LessonCommand]) async throws {
        try await workspace.engine.discard(exercise: lesson)
        for command in finally {
            let status = await status(of: command, in: book.folder(of: lesson), isTold: false)
            try Task.checkCancellation()
            // What was never changed can't be put back, and that is well; what somebody else held up was not put back.
            guard status == KilnModel.ExitCode.blocked.rawValue else { continue }
            session.say("'\(ConsoleText.singleLine(command.line))' was held up by another command: run it yourself")
        }
    }
}

// MARK: - Solutions

extension LessonDesk {
    /// Does one part of a solution, and tells what it is.
    ///
    /// - Throws: `learn.solution-failed` where it ended otherwise than the lesson says.
    func perform(_ act: LessonAct, of lesson: Lesson, task: Int) async throws {
        let folder = book.folder(of: lesson.name)
        switch act {
        case .command(let command):
            let line = command.line(in: folder)
            session.say("$ \(ConsoleText.singleLine(line))")
            let status = await status(of: command, in: folder, isTold: true)
            try Task.checkCancellation()
            guard let wanted = command.exit, wanted != status else { return }
            throw failed(lesson, task, "'\(line)': exit status \(wanted) expected, \(status) found")
        case .step(let step):
            session.say("step \(ConsoleText.singleLine("\(step)"))")
            let outcome = try await run(lesson).perform([step])
            if let error = outcome.error { throw error }
            guard !outcome.isPassed else { return }
            throw failed(lesson, task, outcome.results.compactMap(\.detail).joined(separator: "; "))
        }
    }

    private func failed(_ lesson: Lesson, _ task: Int, _ found: String) -> KilnError {
        KilnError(
            .learnSolutionFailed,
            "task \(task) of '\(lesson.name)': its solution expected to work, found: \(found)",
            hint: "what was done already may be in its way: 'kiln learn hint', or begin anew with 'kiln learn reset'",
            exit: .aborted
        )
    }

    /// Runs a command as its line would; what it shows goes where progress goes, for this command's own result is data.
    private func status(of command: LessonCommand, in folder: String, isTold: Bool) async -> Int32 {
        let session = isTold ? session.aside : session.hushed
        do {
            guard let verb = try KilnCommand.parseAsRoot(command.words(in: folder)) as? any Verb else { return 64 }
            return await verb.status(in: session)
        } catch { return session.report(error) }
    }
}

extension Lesson {
    /// Which of its commands no verb understands.
    var commandProblems: [Problem] {
        let solutions = tasks.flatMap(\.solution).compactMap { act -> LessonCommand? in
            if case .command(let command) = act { command } else { nil }
        }
        return (solutions + finally).compactMap { command in
            do {
                if try KilnCommand.parseAsRoot(command.words(in: folder)) is any Verb { return nil }
                return command.problem("it does nothing", in: folder)
            } catch { return command.problem(KilnCommand.message(for: error), in: folder) }
        }
    }

    /// The task that is to be done.
    ///
    /// - Throws: `state.unreadable` where the lesson has no such task.
    func task(_ current: LessonRecord.Current) throws -> LessonTask {
        guard tasks.indices.contains(current.task - 1) else {
            throw KilnError(
                .stateUnreadable,
                "the lesson '\(name)': task \(current.task) expected, \(tasks.count) tasks found",
                hint: "begin it anew: 'kiln learn reset'"
            )
        }
        return tasks[current.task - 1]
    }
}

extension LessonCommand {
    fileprivate func problem(_ message: String, in folder: String) -> Problem {
        Problem(
            file: "\(folder)/\(LessonFile.name)",
            position: position,
            path: "",
            message: "'\(line)' is no command of kiln's: \(message)"
        )
    }
}

extension Session {
    /// The same session, in which what commands show goes to standard error, for people.
    var aside: Session {
        Session(format: .table, terminal: terminal, output: errors, errors: errors, progress: progress, open: open)
    }
}
