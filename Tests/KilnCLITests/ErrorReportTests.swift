import ArgumentParser
import KilnDocuments
import KilnEngine
import KilnModel
import KilnScenarios
import Testing

@testable import KilnCLI

@Suite("Errors and exit codes")
struct ErrorReportTests {
    private let error = KilnError(
        .imageMissing,
        "no image",
        hint: "bake it",
        cause: "first\nsecond\u{1b}[1m",
        exit: .invalidFile
    )

    @Test("people read message, cause and next step; control characters are escaped")
    func lines() {
        #expect(
            ErrorReport(error).lines(Style(isColored: false)) == [
                "error: no image", "cause: first", "second\\u{1b}[1m", "next: bake it",
            ]
        )
        let colored = ErrorReport(error).lines(Style(isColored: true))
        #expect(colored.first == "\u{1b}[31merror:\u{1b}[0m no image")
    }

    @Test("programs read one JSON object, with null for what is unknown")
    func json() throws {
        let bare = KilnError(.serverMissing, "there is no server 'x'", exit: .usage)
        #expect(
            try Renderer.json(ErrorReport(bare)) == """
                {
                  "error" : {
                    "cause" : null,
                    "code" : "server.missing",
                    "hint" : null,
                    "message" : "there is no server 'x'"
                  }
                }

                """
        )
    }

    @Test("other errors become errors with a code of their own")
    func translated() {
        struct Odd: Error {}
        #expect(ErrorReport(CancellationError()).error.exit == .interrupted)
        #expect(ErrorReport(CancellationError()).error.code == .interrupted)
        #expect(ErrorReport(Odd()).error.exit == .internalError)
        let problem = Problem(file: "a.yaml", position: Position(line: 2, column: 3), path: "lab", message: "odd")
        let invalid = ErrorReport(InvalidFile(problems: [problem])).error
        #expect(invalid.exit == .invalidFile)
        #expect(invalid.message == "a.yaml:2:3: lab: odd")
    }

    @Test("an error goes to standard error, its JSON to standard output, its exit code to the shell")
    func reported() async throws {
        let recorded = RecordedSession()
        let verb = try #require(try KilnCommand.parseAsRoot(["ps"]) as? PsVerb)
        #expect(await verb.status(in: recorded.session(.json)) == 69)
        #expect(recorded.errors == "error: there is no host\n")
        #expect(recorded.output.contains("\"code\" : \"test.no-host\""))
        let plain = RecordedSession()
        #expect(await verb.status(in: plain.session()) == 69)
        #expect(plain.output.isEmpty)
    }

    @Test(
        "a replacement's outcome decides the exit code",
        arguments: [(Outcome.committed, Int32(0)), (.aborted, 10), (.reverted, 11), (.halted, 13)]
    )
    func outcomes(_ outcome: Outcome, _ code: Int32) throws {
        #expect(try Fixtures.report(outcome).exit.rawValue == code)
    }

    @Test("an abort because something else holds the volume is 'blocked'")
    func blocked() throws {
        let turn = TurnBack(direction: .abort, step: .proveOff, code: .volumeHeld, reason: "qemu (pid 3) has it")
        #expect(try Fixtures.report(.aborted, turn: turn).exit == .blocked)
        let other = TurnBack(direction: .abort, step: .prepare, code: .diskFull, reason: "full")
        #expect(try Fixtures.report(.aborted, turn: other).exit == .aborted)
    }

    @Test("the help documents every exit code once", arguments: KilnModel.ExitCode.allCases)
    func documented(_ code: KilnModel.ExitCode) {
        let lines = KilnCommand.helpMessage(columns: 100).split(separator: "\n").map(String.init)
        #expect(lines.filter { $0 == code.helpLine }.count == 1)
    }
}
