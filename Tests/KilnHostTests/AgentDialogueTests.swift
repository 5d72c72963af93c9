import Foundation
import KilnEngine
import KilnModel
import KilnSystem
import LibvirtKit
import Synchronization
import Testing

@testable import KilnHost

@Suite(
    "Commands that read and write much, through an agent whose guest is this host",
    .serialized,
    .timeLimit(.minutes(5))
)
struct AgentDialogueTests {
    private let machine: MachineID
    private let directory = FileManager.default.temporaryDirectory.path + "/kiln-dialogue-\(UUID().uuidString)"

    init() throws {
        machine = MemberID(lab: try Name("lab"), server: try Name("web")).machine(Generation(1))
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    /// Runs a command, and removes what the agent needed; all its files are closed, and its folder is gone.
    private func run(
        _ words: [String],
        deadline: Duration = .seconds(120),
        input: (@Sendable () async throws -> [UInt8])? = nil
    ) async throws -> GuestCommandResult? {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let local = LocalAgent(in: directory)
        let kept = GuestTranscript(limit: 64 << 20)
        let command = GuestCommand(words, deadline: deadline)
        let dialogue = GuestDialogue(input: input, take: kept.take)
        do {
            let ending = try await AgentDialogue(local.agent, machine, command, dialogue).run()
            #expect(local.openFiles == 0)
            // The agent gives what it keeps to a later program with the same number.
            #expect(local.keptResults == 0)
            return ending.map(kept.result)
        } catch {
            #expect(local.openFiles == 0)
            throw error
        }
    }

    @Test("output, errors and status come back, words stay as they are, and nothing is left in the guest")
    func small() async throws {
        // Its own folder, which stands among the words of the shell above it; those of other tests may be there too.
        let own = #"tr '\0' '\n' </proc/$PPID/cmdline | grep '^/[a-z]*/kiln-exec-' >"$0""#
        let script = own + #"; [ -d "$(cat "$0")" ] || exit 1; printf '%s|' "$@"; echo oops >&2; exit 7"#
        let list = FileManager.default.temporaryDirectory.path + "/kiln-list-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: list) }
        let result = try await run(["sh", "-c", script, list, "a b", "$HOME", "c'd"])
        #expect(result?.status == 7 && result?.isCut == false)
        #expect(String(decoding: result?.output ?? [], as: UTF8.self) == "a b|$HOME|c'd|")
        #expect(String(decoding: result?.errors ?? [], as: UTF8.self) == "oops\n")
        let folders = try String(contentsOfFile: list, encoding: .utf8).split(separator: "\n").map(String.init)
        #expect(folders.count == 1 && !folders.contains { FileManager.default.fileExists(atPath: $0) }, "\(folders)")
    }

    @Test("output of many megabytes arrives whole, with the status; so do errors")
    func large() async throws {
        let result = try await run(["sh", "-c", "seq 1 700000; seq 1 300000 >&2; exit 3"])
        let lines = (1...700_000).map { "\($0)\n" }.joined()
        #expect(result?.status == 3 && result?.isCut == false)
        #expect(result?.output == Array(lines.utf8))
        #expect(result?.errors.count == Array((1...300_000).map { "\($0)\n" }.joined().utf8).count)
    }

    @Test("output appears while the command runs, and input reaches it meanwhile")
    func conversation() async throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let local = LocalAgent(in: directory)
        let talk = TwoLines()
        let ending = try await AgentDialogue(local.agent, machine, talk.command, talk.dialogue).run()
        #expect(ending == talk.ending)
    }

    @Test("input of many megabytes arrives whole; a command that reads none of it ends all the same")
    func input() async throws {
        let parts = Mutex(40)
        let result = try await run(["sh", "-c", "wc -c"]) {
            parts.withLock { left in
                left -= 1
                return left < 0 ? [] : [UInt8](repeating: 65, count: 512 << 10)
            }
        }
        let counted = String(decoding: result?.output ?? [], as: UTF8.self)
        #expect(counted.contains("\(40 * 512 << 10)"))
        let idle = try await run(["true"]) {
            try await Task.sleep(for: .seconds(100))
            return []
        }
        #expect(idle?.status == 0)
    }

    @Test("a command that does not end in time leaves no folder behind, and a program that isn't there is told")
    func late() async throws {
        await #expect(throws: DeadlineExceeded.self) { try await run(["sleep", "7"], deadline: .seconds(2)) }
        let missing = await #expect(throws: KilnError.self) { try await run(["no-such-program"]) }
        #expect(missing?.code == .guestRefused && missing?.exit == .usage)
    }

    @Test("what only a shell can do is no program; what both can is one")
    func builtins() async throws {
        let missing = await #expect(throws: KilnError.self) { try await run(["cd", "/"]) }
        #expect(missing?.code == .guestRefused)
        #expect(try await run(["echo", "hi"])?.output == Array("hi\n".utf8))
    }

    @Test("the time that a reader takes is not the command's, and nothing that it has not read yet is lost")
    func slowReader() async throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let local = LocalAgent(in: directory)
        let count = Mutex(0)
        let dialogue = GuestDialogue { stream, bytes in
            guard stream == .output else { return }
            let isFirst = count.withLock { count in
                defer { count += bytes.count }
                return count == 0
            }
            // Longer than the command may take.
            if isFirst { Thread.sleep(forTimeInterval: 12) }
        }
        let command = GuestCommand(["head", "-c", "6000000", "/dev/zero"], deadline: .seconds(10))
        let ending = try await AgentDialogue(local.agent, machine, command, dialogue).run()
        #expect(ending == GuestEnding(status: 0))
        #expect(count.withLock { $0 } == 6_000_000)
    }

    @Test("a command whose input breaks off is asked to end, and does not take what it got for all")
    func cutInput() async throws {
        let marks = FileManager.default.temporaryDirectory.path + "/kiln-cut-\(UUID().uuidString)"
        defer { for end in ["", ".done"] { try? FileManager.default.removeItem(atPath: marks + end) } }
        let isFirst = Mutex(true)
        await #expect(throws: DeadlineExceeded.self) {
            try await run(["sh", "-c", "cat >$0 && touch $0.done", marks], deadline: .seconds(3)) {
                let now = isFirst.withLock { isFirst in
                    defer { isFirst = false }
                    return isFirst
                }
                if now { return Array("half".utf8) }
                try await Task.sleep(for: .seconds(100))
                return []
            }
        }
        try await Task.sleep(for: .seconds(3))
        #expect(FileManager.default.contents(atPath: marks) == Data("half".utf8))
        #expect(!FileManager.default.fileExists(atPath: marks + ".done"))
    }

    @Test("an agent that began anew has lost the result of a command, which is told as that")
    func anew() async throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let local = LocalAgent(in: directory)
        let dialogue = GuestDialogue { _, _ in local.forbid("guest-file-read") }
        let command = GuestCommand(["sh", "-c", "echo hi; sleep 1"], deadline: .seconds(60))
        let lost = await #expect(throws: KilnError.self) {
            try await AgentDialogue(local.agent, machine, command, dialogue).run()
        }
        #expect(lost?.code == .guestResultLost)
        #expect(local.openFiles == 0)
    }

    @Test("an agent that hangs is asked for nothing more than one thing")
    func silent() async throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let local = LocalAgent(in: directory)
        let dialogue = GuestDialogue { _, _ in local.fallSilent() }
        let command = GuestCommand(["sh", "-c", "echo hi; sleep 1"], deadline: .seconds(60))
        await #expect(throws: LibvirtError.self) {
            try await AgentDialogue(local.agent, machine, command, dialogue).run()
        }
        // The next read and the first of what is to be tidied up, each with a question whether anybody is there.
        #expect(local.askedInVain <= 4, "\(local.commands.suffix(local.askedInVain))")
    }

    @Test("what a guest's shell says is counted and not kept, and a status that is none is an error's")
    func told() {
        let told = AgentDialogue.Told()
        told.add([UInt8](repeating: UInt8(ascii: "o"), count: 100_000) + Array(".L".utf8))
        #expect(told.count(of: "o") == 100_000 && told.count(of: "L") == 1 && told.count(of: "e") == 0)
        told.add(Array("x1".utf8))
        #expect(told.status == nil)
        told.add(Array("37\n".utf8))
        #expect(told.status == 137)
        let endless = AgentDialogue.Told()
        endless.add(Array("x".utf8) + [UInt8](repeating: UInt8(ascii: "7"), count: 100_000))
        #expect(endless.status == 1)
    }

    @Test(
        "where the agent may not open, read or write files, nothing is begun",
        arguments: ["guest-file-open", "guest-file-read", "guest-file-write"]
    )
    func without(_ forbidden: String) async throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let local = LocalAgent(in: directory)
        local.forbid(forbidden)
        let dialogue = GuestDialogue { _, _ in }
        let mark = directory + "/mark"
        let command = GuestCommand(["touch", mark], deadline: .seconds(20))
        #expect(try await AgentDialogue(local.agent, machine, command, dialogue).run() == nil)
        #expect(!FileManager.default.fileExists(atPath: mark))
        #expect(local.openFiles == 0)
    }

    @Test(
        "a command whose result the agent can't tell has run all the same, and is not taken for one that the guest lacks"
    )
    func resultLost() async throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let local = LocalAgent(in: directory)
        local.forbid("guest-exec-status")
        let command = GuestCommand(["true"], deadline: .seconds(20))
        let lost = await #expect(throws: KilnError.self) {
            try await AgentGuests.result(of: command, by: local.agent, in: machine)
        }
        #expect(lost?.code == .guestResultLost && lost?.exit == .aborted)
        let missing = await #expect(throws: (any Error).self) {
            try await AgentGuests.result(of: GuestCommand(["no-such-program"]), by: local.agent, in: machine)
        }
        #expect(!(missing is KilnError))
    }
}
