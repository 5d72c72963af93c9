import KilnModel
import KilnSystem
import Testing

@testable import KilnHost

@Suite("Commands as an SSH server gets them")
struct RemoteCommandTests {
    private func run(_ words: [String]) async throws -> (Command.Output, RemoteCommand.End?) {
        let remote = RemoteCommand(words, isRoot: true)
        // As sshd does: the user's shell reads the line.
        let output = try await Command("sh", ["-c", remote.line]).result()
        return (output, remote.end(output.errors))
    }

    @Test(
        "every word survives two shells",
        arguments: ["", " ", "a'b", "$(id)", "`id`", "\\", "a\nb", "*", "~", "-e", "\""]
    )
    func words(_ word: String) async throws {
        let (output, end) = try await run(["printf", "%s", "<\(word)>"])
        #expect(String(decoding: output.output, as: UTF8.self) == "<\(word)>")
        #expect(end == .ended(0, errors: []))
    }

    @Test("the status is the command's own, and its errors are as it wrote them")
    func status() async throws {
        #expect(
            try await run(["sh", "-c", "printf 'no end' >&2; exit 255"]).1 == .ended(255, errors: Array("no end".utf8))
        )
        #expect(try await run(["no-such-program"]).1 == .absent)
    }

    @Test("a connection that ends before the command does is no end of it")
    func cut() {
        let remote = RemoteCommand(["true"], isRoot: true, token: "T")
        #expect(remote.end([]) == nil)
        #expect(remote.end(Array("\nT ".utf8)) == nil)
        #expect(remote.end(Array("T 0\n".utf8)) == nil)
        #expect(remote.end(Array("x\nT 0\nmore\nT 3\n".utf8)) == .ended(3, errors: Array("x\nT 0\nmore".utf8)))
    }

    @Test("who is not root becomes it by sudo, which asks nothing")
    func sudo() {
        #expect(RemoteCommand(["id"], isRoot: false).line.hasPrefix("sudo -n -- /bin/sh -c "))
    }
}
