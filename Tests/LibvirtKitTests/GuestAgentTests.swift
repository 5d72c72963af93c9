import Foundation
import KilnSystem
import Synchronization
import Testing

@testable import LibvirtKit

/// A guest agent that answers from a script and records what it was asked.
private final class ScriptedAgent: Sendable {
    private let state: Mutex<(answers: [String], asked: [String])>

    init(_ answers: [String]) {
        state = Mutex((answers, []))
    }

    var asked: [String] { state.withLock { $0.asked } }

    var agent: GuestAgent {
        GuestAgent(of: "web") { json, _ in
            self.state.withLock { state in
                state.asked.append(json)
                // The last answer repeats for ever.
                return state.answers.count > 1 ? state.answers.removeFirst() : state.answers[0]
            }
        }
    }
}

@Suite("guest agent", .timeLimit(.minutes(3)))
struct GuestAgentTests {
    @Test("the trace has every command with its outcome, and nothing of its arguments, its answer or a refusal")
    func trace() async throws {
        Trace.start(sinks: [])
        let secret = "secret-\(UInt64.random(in: .min ... .max))"
        let domain = "traced-\(UInt64.random(in: .min ... .max))"
        let good = GuestAgent(of: domain) { _, _ in #"{"return": {"pid": 7, "exited": true, "out": "\#(secret)"}}"# }
        _ = try? await good.run("/bin/echo", [secret], deadline: .seconds(1))
        let bad = GuestAgent(of: domain) { _, _ in
            throw LibvirtError(
                code: .operationFailed,
                origin: .qemu,
                message: "can't start \(secret)",
                operation: GuestAgent.operation,
                subject: domain
            )
        }
        _ = try? await bad.run("/bin/echo", [secret], deadline: .seconds(1))
        let lines = Trace.text.split(separator: "\n").filter { $0.contains(domain) }
        #expect(lines.contains { $0.contains("agent guest-exec '\(domain)' bytes=") && $0.contains(" ms=") })
        #expect(lines.contains { $0.hasSuffix("outcome=code 9") })
        #expect(!Trace.text.contains(secret))
    }

    private static let unknown = LibvirtError(
        code: LibvirtError.Code(rawValue: 4711),
        origin: LibvirtError.Origin(rawValue: 0),
        message: "a failure of a later libvirt",
        operation: "ask",
        subject: "web"
    )

    @Test("a command that a frozen guest refuses is sent again after the thaw, whatever number the refusal has")
    func frozen() async throws {
        let asked = Mutex<[String]>([])
        let agent = GuestAgent(of: "web") { json, _ in
            let count = asked.withLock { asked in
                asked.append(json)
                return asked.count
            }
            if json.contains("guest-ping") { return #"{"return":{}}"# }
            if json.contains("fsfreeze-status") { return #"{"return":"\#(count < 4 ? "frozen" : "thawed")"}"# }
            guard count > 3 else { throw Self.unknown }
            return #"{"return":{"host-name":"web"}}"#
        }
        #expect(try await agent.hostName() == "web")
        #expect(asked.withLock { $0.filter { $0.contains("host-name") }.count } == 2)
    }

    @Test("an agent that answers others refuses a command; one that answers nothing is silent")
    func refusal() async throws {
        let refusing = GuestAgent(of: "web") { json, _ in
            if json.contains("guest-ping") { return #"{"return":{}}"# }
            guard json.contains("fsfreeze-status") else { throw Self.unknown }
            return #"{"return":"thawed"}"#
        }
        await #expect(
            throws: GuestAgentError.refused(command: "guest-get-host-name", reason: Self.unknown.message)
        ) { try await refusing.hostName() }
        let silent = GuestAgent(of: "web") { _, _ in throw Self.unknown }
        await #expect(throws: Self.unknown) { try await silent.hostName() }
        await #expect(throws: Self.unknown) { try await silent.ping() }
    }

    @Test("a command that the guest's configuration forbids is told apart from one that a frozen guest refuses")
    func forbidden() async throws {
        let isFrozen = Mutex(false)
        let agent = GuestAgent(of: "web") { json, _ in
            if json.contains("fsfreeze-status") {
                return isFrozen.withLock { #"{"return":"\#($0 ? "frozen" : "thawed")"}"# }
            }
            return #"{"return":{"version":"7.2.0","supported_commands":["#
                + #"{"enabled":true,"name":"guest-ping","success-response":true},{"enabled":false,"name":"guest-exec"}]}}"#
        }
        #expect(try await agent.forbids("guest-exec"))
        #expect(try await agent.forbids("guest-unheard-of"))
        #expect(try await !agent.forbids("guest-ping"))
        isFrozen.withLock { $0 = true }
        #expect(try await !agent.forbids("guest-exec"))
    }

    @Test("a program is started once where nobody knows whether a guest that is not frozen has heard of it")
    func startedOnce() async throws {
        let starts = Mutex(0)
        let agent = GuestAgent(of: "web") { json, _ in
            if json.contains("guest-ping") { return #"{"return":{}}"# }
            if json.contains("fsfreeze-status") { return #"{"return":"thawed"}"# }
            starts.withLock { $0 += 1 }
            throw Self.unknown
        }
        await #expect(throws: (any Error).self) { try await agent.run("/bin/echo", [], deadline: .seconds(5)) }
        #expect(starts.withLock { $0 } == 1)
    }

    @Test("a file is read on once where nobody knows whether a guest that is not frozen has heard of it")
    func readOnce() async throws {
        let asked = Mutex(0)
        let agent = GuestAgent(of: "web") { json, _ in
            if json.contains("guest-ping") { return #"{"return":{}}"# }
            if json.contains("fsfreeze-status") { return #"{"return":"thawed"}"# }
            if json.contains("guest-file-open") { return #"{"return":1}"# }
            asked.withLock { $0 += 1 }
            throw Self.unknown
        }
        let file = try await agent.openFile("/log")
        await #expect(throws: GuestAgentError.refused(command: "guest-file-read", reason: Self.unknown.message)) {
            try await agent.readOn(file)
        }
        #expect(asked.withLock { $0 } == 1)
    }

    @Test("numbers of any size are taken for how a program ended")
    func anyNumber() {
        #expect(GuestExecResult(exitCode: 3).status == 3)
        #expect(GuestExecResult(exitCode: nil, signal: 9).status == 137)
        #expect(GuestExecResult(exitCode: .max).status == -1)
        #expect(GuestExecResult(exitCode: nil, signal: .max).status == 127)
    }

    @Test("a command that had no answer in time is not sent again: it may have been heard")
    func noAnswerInTime() async throws {
        let asked = Mutex(0)
        let agent = GuestAgent(of: "web", timeout: .milliseconds(20)) { json, _ in
            if json.contains("guest-ping") { return #"{"return":{}}"# }
            if json.contains("fsfreeze-status") { return #"{"return":"thawed"}"# }
            asked.withLock { $0 += 1 }
            try await Task.sleep(for: .milliseconds(30))
            throw Self.unknown
        }
        await #expect(throws: Self.unknown) { try await agent.start("/bin/true") }
        #expect(asked.withLock { $0 } == 1)
    }

    @Test("a freeze and a thaw whose answer got lost count by what the guest is")
    func lostAnswer() async throws {
        let isFrozen = Mutex(false)
        let agent = GuestAgent(of: "web") { json, _ in
            if json.contains("fsfreeze-status") {
                return isFrozen.withLock { #"{"return":"\#($0 ? "frozen" : "thawed")"}"# }
            }
            if json.contains("fsfreeze") { isFrozen.withLock { $0 = json.contains("fsfreeze-freeze") } }
            throw Self.unknown
        }
        try await agent.freeze(deadline: .seconds(1))
        try await agent.thaw(deadline: .seconds(1))
        let deaf = GuestAgent(of: "web") { json, _ in
            guard json.contains("fsfreeze-status") else { throw Self.unknown }
            return #"{"return":"thawed"}"#
        }
        await #expect(throws: Self.unknown) { try await deaf.freeze(deadline: .seconds(1)) }
    }

    @Test(
        "a hostile answer is a typed error",
        arguments: [
            "", "null", "[]", "{}", "{\"return\":", "{\"return\":\"4\"}", "{\"return\":{\"pid\":1e400}}",
            "{\"return\":{\"pid\":\"1\"}}", "{\"return\":{\"pid\":99999999999999999999999}}",
            "{\"return\":{\"pid\":1.5}}",
            "\u{0}", "{\"return\":{\"pid\":null}}", String(repeating: "[", count: 100_000),
            "{\"return\":" + String(repeating: "{\"pid\":", count: 50_000),
        ]
    )
    func hostile(answer: String) async {
        let agent = ScriptedAgent([answer]).agent
        await #expect(
            throws: GuestAgentError.malformedAnswer(command: "guest-exec", reason: "not of the expected shape")
        ) {
            try await agent.start("/bin/true")
        }
    }

    @Test("an answer beyond the limit is refused unread")
    func tooLarge() async {
        let agent = ScriptedAgent([String(repeating: " ", count: GuestAgent.answerLimit) + "{\"return\":{}}"]).agent
        await #expect(throws: GuestAgentError.answerTooLarge(command: "guest-ping", limit: GuestAgent.answerLimit)) {
            try await agent.ping()
        }
    }

    @Test("a program's output and exit status come back, and its arguments go as they are")
    func exec() async throws {
        let script = ScriptedAgent([
            #"{"return":{"pid":7}}"#, #"{"return":{"exited":false}}"#,
            #"{"return":{"exited":true,"exitcode":3,"out-data":"aGk=","err-data":"bm8=","out-truncated":true}}"#,
        ])
        let result = try await script.agent.run(
            "/bin/sh",
            ["-c", "a \"b\""],
            environment: ["K": "v"],
            deadline: .seconds(30)
        )
        #expect(
            result == GuestExecResult(exitCode: 3, stdout: Array("hi".utf8), stderr: Array("no".utf8), truncated: true)
        )
        let first = try #require(script.asked.first)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(first.utf8)) as? [String: Any])
        let arguments = try #require(object["arguments"] as? [String: Any])
        #expect(arguments["arg"] as? [String] == ["-c", "a \"b\""])
        #expect(arguments["env"] as? [String] == ["K=v"])
        #expect(arguments["input-data"] == nil)
    }

    @Test("a program that never ends meets the deadline")
    func execDeadline() async {
        let script = ScriptedAgent([#"{"return":{"pid":7}}"#, #"{"return":{"exited":false}}"#])
        let error = await #expect(throws: DeadlineExceeded.self) {
            try await script.agent.run("/bin/cat", deadline: .milliseconds(30))
        }
        #expect(error?.operation.contains("/bin/cat") == true)
    }

    @Test("output that is no base64 is malformed")
    func base64() async {
        let script = ScriptedAgent([#"{"return":{"exited":true,"exitcode":0,"out-data":"%%%"}}"#])
        await #expect(throws: GuestAgentError.self) { try await script.agent.result(of: GuestAgent.Process(pid: 1)) }
    }

    @Test("a file is read in parts and closed")
    func read() async throws {
        let script = ScriptedAgent([
            #"{"return":1000}"#, #"{"return":{"count":2,"buf-b64":"aGk=","eof":false}}"#,
            #"{"return":{"count":2,"buf-b64":"bm8=","eof":true}}"#, #"{"return":{}}"#,
        ])
        #expect(try await script.agent.readFile("/etc/x", limit: 4) == Array("hino".utf8))
        #expect(script.asked.last?.contains("guest-file-close") == true)
    }

    @Test(
        "a file without end, or without progress, is given up and closed",
        arguments: [
            #"{"return":{"count":2,"buf-b64":"aGk=","eof":false}}"#,
            #"{"return":{"count":0,"buf-b64":"","eof":false}}"#,
        ]
    )
    func endless(part: String) async throws {
        let script = ScriptedAgent([#"{"return":1000}"#, part])
        await #expect(throws: GuestAgentError.self) { try await script.agent.readFile("/dev/zero", limit: 100) }
        #expect(script.asked.last?.contains("guest-file-close") == true)
    }

    @Test("a file is written in parts, flushed and closed")
    func write() async throws {
        let script = ScriptedAgent([
            #"{"return":1000}"#, #"{"return":{"count":131072,"eof":false}}"#, #"{"return":{"count":1,"eof":false}}"#,
            #"{"return":{}}"#,
        ])
        try await script.agent.writeFile("/x", [UInt8](repeating: 65, count: GuestAgent.chunk + 1))
        #expect(script.asked.count == 5)
        #expect(script.asked[3].contains("guest-file-flush") && script.asked[4].contains("guest-file-close"))
    }

    @Test("an agent that claims to have written more than it was given is not believed", arguments: [-1, 0, 4])
    func writeCount(count: Int) async {
        let script = ScriptedAgent([
            #"{"return":1000}"#, #"{"return":{"count":\#(count),"eof":false}}"#, #"{"return":{}}"#,
        ])
        await #expect(throws: GuestAgentError.self) { try await script.agent.writeFile("/x", [1, 2, 3]) }
    }

    @Test("freeze, status, clock and system facts speak the agent's language")
    func system() async throws {
        try await ScriptedAgent([#"{"return":2}"#]).agent.freeze(deadline: .seconds(1))
        #expect(try await ScriptedAgent([#"{"return":"frozen"}"#]).agent.freezeStatus() == .frozen)
        let clock = ScriptedAgent([#"{"return":{}}"#])
        try await clock.agent.setTime(.milliseconds(1500))
        #expect(clock.asked[0].contains(#""time":1500000000"#))
        let system = try await ScriptedAgent([#"{"return":{"id":"debian","version-id":"13"}}"#]).agent.operatingSystem()
        #expect(system.id == "debian" && system.versionID == "13" && system.machine == nil)
        #expect(try await ScriptedAgent([#"{"return":{"host-name":"web"}}"#]).agent.hostName() == "web")
    }
}
