import Foundation
import KilnEngine
import KilnModel
import KilnTestSupport
import Testing

@testable import KilnCLI

@Suite("kiln exec", .timeLimit(.minutes(3)))
struct ExecVerbTests {
    private func up() async throws -> WorldSession {
        let kiln = try WorldSession()
        #expect(try await kiln.kiln("up", "-f", kiln.file).status == 0)
        return kiln
    }

    @Test("the command's output and errors come out as they are, and its status is kiln's")
    func output() async throws {
        let kiln = try await up()
        kiln.world.guests.reply { words, _ in
            guard words.first == "talk" else { return nil }
            return GuestCommandResult(status: 9, output: Array("out\n".utf8), errors: Array("err\n".utf8))
        }
        let plain = try await kiln.kiln("exec", "web", "--", "talk")
        #expect(plain.status == 9 && plain.output == "out\n" && plain.errors.hasSuffix("err\n"), "\(plain)")
        let document = try await kiln.kiln("exec", "web", "--format", "json", "--", "talk")
        #expect(document.status == 9 && document.output.contains("\"truncated\" : false"), "\(document)")
    }

    @Test("output that is not whole is told, and the status stays")
    func cut() async throws {
        let kiln = try await up()
        kiln.world.guests.reply { words, _ in
            guard words.first == "flood" else { return nil }
            return GuestCommandResult(status: 3, output: [65], errors: [], isCut: true)
        }
        let plain = try await kiln.kiln("exec", "web", "--", "flood")
        #expect(plain.status == 3 && plain.errors.contains("not whole"), "\(plain)")
        kiln.world.guests.reply { words, _ in
            guard words.first == "flood" else { return nil }
            return GuestCommandResult(status: 3, output: [UInt8](repeating: 65, count: ExecVerb.kept + 1), errors: [])
        }
        let document = try await kiln.kiln("exec", "web", "--format", "json", "--", "flood")
        #expect(document.status == 3 && document.output.contains("\"truncated\" : true"))
    }

    @Test("a reader that goes away ends the dialogue")
    func unread() throws {
        let plain = RecordedSession().session()
        func session(_ state: ByteSink.State) -> Session {
            Session(
                format: .table,
                terminal: plain.terminal,
                output: ByteSink(write: { _ in }, state: { state }),
                errors: plain.errors,
                progress: plain.progress,
                open: plain.open
            )
        }
        try DialoguePrinter(session(.open)).take(.output, [65])
        #expect(throws: CancellationError.self) { try DialoguePrinter(session(.unread)).take(.output, [65]) }
        let full = #expect(throws: KilnError.self) { try DialoguePrinter(session(.failed(28))).take(.output, [65]) }
        #expect(full?.code == .outputNotWritten)
    }

    @Test("--timeout covers everything, also what comes before the command")
    func timeout() async throws {
        let kiln = try await up()
        // The question whether the volumes are mounted is the first that is asked.
        kiln.world.guests.reply { _, _ in
            try? await Task.sleep(for: .seconds(100))
            return nil
        }
        let start = ContinuousClock.now
        let late = try await kiln.kiln("exec", "web", "--timeout", "1s", "--", "true")
        #expect(late.status == 75 && late.errors.contains("had not ended"), "\(late)")
        #expect(ContinuousClock.now - start < .seconds(50))
    }

    @Test("input that comes is handed on at once, and its end is its end")
    func input() async throws {
        let pipe = Pipe()
        let descriptor = pipe.fileHandleForReading.fileDescriptor
        try pipe.fileHandleForWriting.write(contentsOf: Data("one".utf8))
        #expect(try await StandardInput.next(from: descriptor) == Array("one".utf8))
        try pipe.fileHandleForWriting.write(contentsOf: Data("two".utf8))
        #expect(try await StandardInput.next(from: descriptor, atMost: 2) == Array("tw".utf8))
        try pipe.fileHandleForWriting.close()
        #expect(try await StandardInput.next(from: descriptor) == Array("o".utf8))
        #expect(try await StandardInput.next(from: descriptor).isEmpty)
    }

    @Test("only a file with something left in it is input that somebody will miss")
    func unreadFile() async throws {
        try await Fixtures.withDirectory { directory in
            let path = directory + "/input"
            try Data("text".utf8).write(to: URL(fileURLWithPath: path))
            let file = try #require(FileHandle(forReadingAtPath: path))
            #expect(StandardInput.isUnreadFile(file.fileDescriptor))
            _ = try file.readToEnd()
            #expect(!StandardInput.isUnreadFile(file.fileDescriptor))
            let pipe = Pipe()
            try pipe.fileHandleForWriting.write(contentsOf: Data("text".utf8))
            #expect(!StandardInput.isUnreadFile(pipe.fileHandleForReading.fileDescriptor))
        }
    }
}
