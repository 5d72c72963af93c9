import Foundation
import KilnModel
import KilnSystem

/// Where it is kept what a trainee has come to, and the files of his lesson.
public struct LessonBook: Sendable {
    private let root: String

    /// The book in a folder of the state directory; nothing is made yet.
    public init(root: String) { self.root = root }

    private var path: String { root + "/lessons.json" }

    /// Takes the lock under which lessons are begun, checked and ended.
    ///
    /// - Throws: `lock.held`, naming who has it.
    public func lock() throws -> FileLock {
        try DurableFile.makeDirectory(root)
        return try FileLock(root + "/lock", subject: "the lesson")
    }

    /// What a trainee has come to.
    ///
    /// - Throws: `KilnError` where it can't be read, or a newer Kiln wrote it.
    public func record() throws -> LessonRecord {
        do {
            return try DurableFile.readJSON(LessonRecord.self, from: path) ?? LessonRecord()
        } catch let error as KilnError where error.code == .stateUnreadable {
            throw KilnError(
                error.code,
                error.message,
                hint: "remove that file to forget what was learnt; 'kiln learn start' then tells what a lesson left",
                cause: error.cause
            )
        }
    }

    /// Keeps it; the caller holds the lock.
    public func keep(_ record: LessonRecord) throws { try DurableFile.writeJSON(record, to: path) }

    /// The folder in which the trainee works, and whose files are his.
    public func folder(of lesson: Name) -> String { "\(root)/\(lesson)" }

    /// The folder of the lesson as it was when it was begun, whatever its trainee made of his files; no lesson's name has a dot.
    public func original(of lesson: Name) -> String { "\(root)/.lessons/\(lesson)" }

    /// Copies a lesson's files to where they can be changed, and to where they stay; so what is installed can change meanwhile.
    ///
    /// The copies are the trainee's own: what is installed is root's, and Foundation would keep that.
    public func open(_ lesson: Lesson) async throws {
        try close(lesson.name)
        try DurableFile.makeDirectory(DurableFile.directory(of: original(of: lesson.name)))
        for folder in [original(of: lesson.name), folder(of: lesson.name)] {
            do {
                try await Command("cp", ["-R", "-H", "--", lesson.folder, folder]).run()
            } catch let error as KilnError {
                throw KilnError(
                    .stateNotWritable,
                    "the files of the lesson '\(lesson.name)' can't be copied to \(folder)",
                    hint: "check the owner of \(root), and its free space",
                    cause: error.cause ?? error.message,
                    exit: .aborted
                )
            }
        }
        // Who works with the lab files need not stumble over the solutions.
        try DurableFile.remove("\(folder(of: lesson.name))/\(LessonFile.name)")
    }

    /// Removes the copies.
    public func close(_ lesson: Name) throws {
        for folder in [folder(of: lesson), original(of: lesson)] { try DurableFile.remove(folder) }
    }
}
