import ArgumentParser
import KilnModel
import KilnScenarios

/// `kiln learn solve`: does the present task.
struct LearnSolveVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "solve",
        abstract: "Do the present task, and tell by which commands; 'learn check' then looks at it as ever."
    )

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let desk = try await LessonDesk(session, connect: global.connect)
        let lock = try desk.book.lock()
        defer { withExtendedLifetime(lock) {} }
        let current = try desk.book.record().begun()
        let lesson = try desk.lesson(current)
        try await desk.requireLab(of: lesson, current)
        let task = try lesson.task(current)
        for act in task.solution { try await desk.perform(act, of: lesson, task: current.task) }
        let folder = desk.book.folder(of: lesson.name)
        let acts = task.solution.map { $0.description.replacing(Lesson.folderMark, with: folder) }
        try session.show(SolvedTask(lesson: lesson.name, task: current.task, acts: acts))
        return 0
    }
}
