import ArgumentParser
import Foundation
import KilnModel
import KilnScenarios

/// `kiln learn start`: begins a lesson, or tells where one that is begun stands.
struct LearnStartVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "start",
        abstract: "Make the lab of a lesson and tell its first task; one that is begun goes on where it was."
    )

    @Argument(help: "The lesson: its name, or its folder.", completion: .lessons)
    var lesson: String

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let desk = try await LessonDesk(session, connect: global.connect)
        let lock = try desk.book.lock()
        defer { withExtendedLifetime(lock) {} }
        var record = try desk.book.record()
        // It goes on with its own copy, whatever became of where that came from.
        if let current = record.current, current.isReady, current.lesson.text == LessonDesk.name(of: lesson) {
            let begun = try desk.lesson(current)
            try session.show(LessonView(begun, current, folder: desk.book.folder(of: begun.name), isBeginning: true))
            return 0
        }
        let folder = try LessonDesk.folder(of: lesson, session)
        let found = try LessonFile.lesson(in: folder, images: KnownImages.manifest)
        session.say(warnings: found.warnings)
        let isBroken = record.current != nil
        // It may be gone on with from another folder.
        let place = LessonDesk.isPath(lesson) ? URL(fileURLWithPath: folder).path : nil
        try record.begin(found.name, from: place)
        try await desk.requireRoom(for: found, isOwn: isBroken)
        // From here on what a killed command leaves is known to be a lesson's.
        try desk.book.keep(record)
        try await desk.makeSetting(of: found, record.current)
        record.becomeReady()
        try desk.book.keep(record)
        let current = try record.begun()
        try session.show(LessonView(found, current, folder: desk.book.folder(of: found.name), isBeginning: true))
        return 0
    }
}
