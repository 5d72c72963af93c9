import Foundation
import KilnModel
import Testing

@testable import KilnCLI

@Suite("Standard input")
struct StandardInputTests {
    @Test("is read to its end, also where it comes in parts")
    func whole() async throws {
        let pipe = Pipe()
        try pipe.fileHandleForWriting.write(contentsOf: Data("one".utf8))
        async let read = StandardInput.read(
            from: pipe.fileHandleForReading.fileDescriptor,
            atMost: 10,
            within: .seconds(60)
        )
        try pipe.fileHandleForWriting.write(contentsOf: Data("two".utf8))
        try pipe.fileHandleForWriting.close()
        #expect(try await read == Array("onetwo".utf8))
    }

    @Test("that stays open is given up at the deadline, with what to do")
    func open() async throws {
        let pipe = Pipe()
        let error = await #expect(throws: KilnError.self) {
            try await StandardInput.read(
                from: pipe.fileHandleForReading.fileDescriptor,
                atMost: 10,
                within: .milliseconds(50)
            )
        }
        #expect(error?.code == .deadline && error?.exit == .deadline && error?.hint?.contains("close it") == true)
        // Ends the thread that was left behind.
        try pipe.fileHandleForWriting.close()
    }

    @Test("that is closed is empty, and one that is too long is refused")
    func limits() async throws {
        #expect(try await StandardInput.read(from: 1_000_000, atMost: 10, within: .seconds(60)).isEmpty)
        let pipe = Pipe()
        try pipe.fileHandleForWriting.write(contentsOf: Data(count: 11))
        try pipe.fileHandleForWriting.close()
        let error = await #expect(throws: KilnError.self) {
            try await StandardInput.read(
                from: pipe.fileHandleForReading.fileDescriptor,
                atMost: 10,
                within: .seconds(60)
            )
        }
        #expect(error?.code == .inputTooLarge)
    }
}
