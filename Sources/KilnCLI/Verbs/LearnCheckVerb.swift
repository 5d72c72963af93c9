import ArgumentParser
import KilnModel
import KilnScenarios

/// `kiln learn check`: looks whether the present task is done.
struct LearnCheckVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Look whether the present task is done, and tell what is missing.",
        discussion: "It changes nothing. Exit 0: the task is done; 1: not yet."
    )

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let desk = try await LessonDesk(session, connect: global.connect)
        let lock = try desk.book.lock()
        defer { withExtendedLifetime(lock) {} }
        var record = try desk.book.record()
        let current = try record.begun()
        let lesson = try desk.lesson(current)
        try await desk.requireLab(of: lesson, current)
        let task = try lesson.task(current)
        let outcome = try await desk.run(lesson).look(task.check)
        if let error = outcome.error { throw error }
        record.judge(isDone: outcome.isPassed)
        try desk.book.keep(record)
        let found = CheckedTask(
            lesson,
            current,
            outcome,
            folder: desk.book.folder(of: lesson.name),
            style: session.terminal.style
        )
        try session.show(found)
        return outcome.isPassed ? 0 : KilnModel.ExitCode.unmet.rawValue
    }
}
