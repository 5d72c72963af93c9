import ArgumentParser
import Foundation
import KilnModel
import KilnTestSupport
import Synchronization
import Testing

@testable import KilnCLI

@Suite("Where the trace goes")
struct TraceOutputTests {
    @Test("a file takes lines at its end, and only its owner may read it")
    func file() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/log"
        for line in ["one", "two"] { TraceFile(path) { Issue.record("\($0)") }.take(line) }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "one\ntwo\n")
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test(
        "a file that can't be opened, or written any more, is told once and fails nothing",
        arguments: ["/", "/dev/full"]
    )
    func unwritable(path: String) {
        let complaints = Mutex<[String]>([])
        let file = TraceFile(path) { text in complaints.withLock { $0.append(text) } }
        for line in ["one", "two"] { file.take(line) }
        #expect(complaints.withLock { $0.count } == 1)
    }

    @Test("'help errors' lists every code with its meaning, and the same as JSON")
    func errors() async throws {
        for format in [OutputFormat.table, .json] {
            let recorded = RecordedSession()
            let verb = try #require(try KilnCommand.parseAsRoot(ErrorsVerb.asked(["help", "errors"])) as? ErrorsVerb)
            #expect(try await verb.execute(recorded.session(format)) == 0)
            for code in ErrorCode.index {
                #expect(recorded.output.contains(code.rawValue) && recorded.output.contains(code.meaning), "\(code)")
            }
        }
        #expect(ErrorsVerb.asked(["help", "up"]) == ["help", "up"])
    }
}
