import Foundation
import KilnModel
import Testing

@testable import KilnCLI

@Suite("Questions before what can't be undone", .timeLimit(.minutes(3)))
struct ConfirmationTests {
    /// A session at a terminal.
    private func session(_ recorded: RecordedSession) -> Session {
        let plain = recorded.session()
        return Session(
            format: .table,
            terminal: Terminal(input: true, output: false, errors: true, environment: ["TERM": "xterm"]),
            output: plain.output,
            errors: plain.errors,
            progress: plain.progress,
            open: plain.open
        )
    }

    @Test(
        "yes is yes, and everything else is no",
        arguments: [("y\n", true), ("YES\n", true), ("n\n", false), ("", false)]
    )
    func answers(text: String, isYes: Bool) async throws {
        let pipe = Pipe()
        try pipe.fileHandleForWriting.write(contentsOf: Data(text.utf8))
        try pipe.fileHandleForWriting.close()
        let session = session(RecordedSession())
        var code: ErrorCode?
        do {
            try await Confirmation.ask(
                "Really?",
                unless: false,
                session,
                from: pipe.fileHandleForReading.fileDescriptor
            )
        } catch let error as KilnError { code = error.code }
        #expect(code == (isYes ? nil : .volumeUnconfirmed))
    }

    @Test("Ctrl-C ends the question at once, and is no answer")
    func interrupted() async throws {
        let pipe = Pipe()
        let recorded = RecordedSession()
        let session = session(recorded)
        let descriptor = pipe.fileHandleForReading.fileDescriptor
        let asking = Task {
            try await Confirmation.ask("Really?", unless: false, session, from: descriptor)
        }
        while !recorded.errors.contains("[y/N]") { try await Task.sleep(for: .milliseconds(5)) }
        asking.cancel()
        await #expect(throws: CancellationError.self) { try await asking.value }
        #expect(session.report(CancellationError()) == 130)
        try pipe.fileHandleForWriting.close()
    }
}
