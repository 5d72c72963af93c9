import Foundation
import KilnModel
import KilnSystem
import KilnTestSupport
import Testing

@testable import KilnScenarios

@Suite("What a trainee has come to")
struct LessonRecordTests {
    private func begun(_ name: String = "small") throws -> LessonRecord {
        var record = LessonRecord()
        try record.begin(try Name(name))
        record.becomeReady()
        return record
    }

    private func code(_ body: () throws -> Void) -> ErrorCode? {
        do {
            try body()
            return nil
        } catch { return (error as? KilnError)?.code }
    }

    @Test("tasks follow each other once each is done, and after the last one the lesson is")
    func order() throws {
        var record = try begun()
        #expect(code { _ = try record.advance(of: 2) } == .learnNotDone)
        record.judge(isDone: false)
        #expect(code { _ = try record.advance(of: 2) } == .learnNotDone)
        record.judge(isDone: true)
        record.takeHint()
        #expect(try record.advance(of: 2))
        #expect(record.current?.task == 2 && record.current?.hints == 0 && record.current?.isDone == false)
        #expect(code { _ = try record.advance(of: 2) } == .learnNotDone)
        record.judge(isDone: true)
        #expect(try !record.advance(of: 2))
        record.end(isDone: true)
        #expect(record.current == nil && record.done.map(\.text) == ["small"])
    }

    @Test("a task that was done once stays so, whatever is done to the lab afterwards")
    func stays() throws {
        var record = try begun()
        record.judge(isDone: true)
        record.judge(isDone: false)
        #expect(record.current?.isDone == true)
    }

    @Test("there are two hints, and no third")
    func hints() throws {
        var record = try begun()
        for expected in [1, 2, 2] {
            record.takeHint()
            #expect(record.current?.hints == expected)
        }
    }

    @Test("a second lesson is refused by the name of the first, which keeps where it was")
    func other() throws {
        var record = try begun()
        record.judge(isDone: true)
        let before = record
        do {
            try record.begin(try Name("second"))
            Issue.record("it was begun")
        } catch let error as KilnError {
            #expect(error.code == .learnOther && error.message.contains("'small'"))
            #expect(error.hint?.contains("kiln learn reset") == true)
        }
        #expect(record == before)
    }

    @Test("without a lesson, and with one whose setting is not whole, nothing is checked")
    func notReady() throws {
        var record = LessonRecord()
        #expect(code { _ = try record.begun() } == .learnNone)
        #expect(code { _ = try record.advance(of: 1) } == .learnNone)
        record.takeHint()
        record.judge(isDone: true)
        record.end(isDone: true)
        #expect(record == LessonRecord())
        try record.begin(try Name("small"))
        #expect(code { _ = try record.begun() } == .learnNotReady)
        try record.begin(try Name("small"))
        record.becomeReady()
        #expect(try record.begun().task == 1)
    }

    @Test("a lesson that was given up is not done, and one that was done before stays done")
    func givenUp() throws {
        var record = try begun()
        record.end(isDone: false)
        #expect(record.done.isEmpty)
        for isDone in [true, false, true] {
            try record.begin(try Name("small"))
            record.end(isDone: isDone)
            #expect(record.done.count == 1)
        }
    }

    @Test("it is kept in a file with a format; a newer one is refused, and a damaged one told")
    func file() throws {
        try withFolder { folder in
            let book = LessonBook(root: folder.path + "/learn")
            #expect(try book.record() == LessonRecord())
            let lock = try book.lock()
            defer { withExtendedLifetime(lock) {} }
            let record = try begun()
            try book.keep(record)
            #expect(try book.record() == record)
            #expect(code { _ = try book.lock() } == .lockHeld)
            let path = URL(fileURLWithPath: folder.path + "/learn/lessons.json")
            let text = try String(contentsOf: path, encoding: .utf8)
            try Data(text.replacing("\"format\" : 1", with: "\"format\" : 2").utf8).write(to: path)
            #expect(code { _ = try book.record() } == .stateNewer)
            try Data(text.prefix(30).utf8).write(to: path)
            #expect {
                _ = try book.record()
            } throws: {
                let error = $0 as? KilnError
                return error?.code == .stateUnreadable && error?.hint?.contains("remove that file") == true
            }
        }
    }

    @Test("where a lesson was begun from by its folder, that is what begins it anew; a record of before has no folder")
    func place() throws {
        var record = LessonRecord()
        try record.begin(try Name("small"), from: "/home/a b/small")
        #expect(record.current?.start == "kiln learn start '/home/a b/small'")
        let kept = try JSONEncoder().encode(record)
        #expect(try JSONDecoder().decode(LessonRecord.self, from: kept) == record)
        #expect(try begun().current?.start == "kiln learn start small")
        let text = String(decoding: try JSONEncoder().encode(begun()), as: UTF8.self)
        #expect(!text.contains("folder"))
        #expect(try JSONDecoder().decode(LessonRecord.self, from: Data(text.utf8)) == begun())
    }

    @Test("a lesson's files are copied to be worked on, anew each time, and removed")
    func copies() async throws {
        let folder = try TemporaryDirectory()
        let lesson = try LessonFile.lesson(in: LessonFixture.write(in: folder.path))
        let book = LessonBook(root: folder.path + "/learn")
        let lock = try book.lock()
        defer { withExtendedLifetime(lock) {} }
        let own = book.folder(of: lesson.name)
        for _ in 1...2 {
            try await book.open(lesson)
            #expect(try LessonFile.lesson(in: book.original(of: lesson.name)).tasks.count == 2)
            #expect(!FileManager.default.fileExists(atPath: "\(own)/\(LessonFile.name)"))
            #expect(try String(contentsOfFile: own + "/lab.yaml", encoding: .utf8) == LessonFixture.lab)
            try Data("changed".utf8).write(to: URL(fileURLWithPath: own + "/lab.yaml"))
        }
        #expect(try String(contentsOfFile: lesson.folder + "/lab.yaml", encoding: .utf8) == LessonFixture.lab)
        try book.close(lesson.name)
        #expect(!FileManager.default.fileExists(atPath: own))
        #expect(!FileManager.default.fileExists(atPath: book.original(of: lesson.name)))
    }
}
