import ArgumentParser
import KilnModel
import KilnScenarios

/// `kiln learn hint`: one hint more for the present task.
struct LearnHintVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "hint",
        abstract: "Show a hint for the present task: the first, then the second too."
    )

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let desk = try await LessonDesk(session)
        let lock = try desk.book.lock()
        defer { withExtendedLifetime(lock) {} }
        var record = try desk.book.record()
        let lesson = try desk.lesson(try record.begun())
        record.takeHint()
        try desk.book.keep(record)
        let current = try record.begun()
        let task = try lesson.task(current)
        let folder = desk.book.folder(of: lesson.name)
        let hints = task.hints.prefix(current.hints).map { $0.replacing(Lesson.folderMark, with: folder) }
        try session.show(ShownHints(lesson: lesson.name, task: current.task, of: task.hints.count, hints: hints))
        return 0
    }
}
