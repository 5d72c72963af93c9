import ArgumentParser
import KilnModel
import KilnScenarios

/// `kiln learn next`: goes on to the next task, or ends the lesson.
struct LearnNextVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "next",
        abstract:
            "Tell the next task; after the last one, remove the lesson's lab with what it holds and name another lesson."
    )

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let desk = try await LessonDesk(session, connect: global.connect)
        let lock = try desk.book.lock()
        defer { withExtendedLifetime(lock) {} }
        var record = try desk.book.record()
        let lesson = try desk.lesson(try record.begun())
        if try record.advance(of: lesson.tasks.count) {
            try desk.book.keep(record)
            let current = try record.begun()
            try session.show(LessonView(lesson, current, folder: desk.book.folder(of: lesson.name), isBeginning: false))
            return 0
        }
        try await desk.removeLab(of: lesson.name, lesson.finally)
        record.end(isDone: true)
        try desk.book.keep(record)
        try desk.book.close(lesson.name)
        try session.show(EndedLesson(lesson: lesson.name, isDone: true, next: LessonDesk.next(after: record)))
        return 0
    }
}
