import ArgumentParser
import KilnModel
import KilnScenarios

/// `kiln learn reset`: gives the lesson up that is begun.
struct LearnResetVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "reset",
        abstract:
            "Give up the lesson that is begun: remove its lab, with all that its volumes hold, and what was done in it.",
        discussion:
            "'learn start' then begins it anew. Lessons that are done stay done. What is not there any more is no error."
    )

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let desk = try await LessonDesk(session, connect: global.connect)
        let lock = try desk.book.lock()
        defer { withExtendedLifetime(lock) {} }
        var record = try desk.book.record()
        // Also one whose making broke off.
        guard let current = record.current else {
            _ = try record.begun()
            return 0
        }
        // Its copy may be what is broken.
        let lesson = try? desk.lesson(current)
        if lesson == nil, current.isReady {
            session.say("its own copy can't be read: what it changed outside of its lab was not put back")
        }
        try await desk.removeLab(of: current.lesson, lesson?.finally ?? [])
        record.end(isDone: false)
        try desk.book.keep(record)
        try desk.book.close(current.lesson)
        try session.show(EndedLesson(lesson: current.lesson, isDone: false, next: current.lesson, start: current.start))
        return 0
    }
}
