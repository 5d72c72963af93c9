import Foundation
import KilnModel
import KilnTestSupport
import Synchronization
import Testing

@testable import KilnSystem

@Suite("Running outside programs")
struct CommandTests {
    @Test("a program reads a file that has no name, and only so much of its output is kept as is asked for")
    func unlinked() async throws {
        let file = try UnlinkedFile(Array("hello".utf8))
        let output = try await Command("cat", []).result(reading: file.descriptor, keeping: 4)
        #expect(output.status == 0 && output.output == Array("hell".utf8))
        // It is closed with its value.
        withExtendedLifetime(file) {}
    }

    @Test("a program that is not there is named, with what to do")
    func missing() async {
        let error = await #expect(throws: KilnError.self) { try await Command("no-such-program", []).run() }
        #expect(error?.code == .toolMissing)
        #expect(error?.message.contains("no-such-program") == true)
        #expect(error?.hint?.contains("make setup") == true)
    }

    @Test("what a failed program says is made safe to print")
    func hostile() async {
        let script = #"printf '\033[31mboom\033]0;x\a\377\n\342\200\256evil' >&2; exit 3"#
        let error = await #expect(throws: KilnError.self) { try await Command("sh", ["-c", script]).run() }
        #expect(error?.code == .toolFailed)
        #expect(error?.cause == "\u{fffd}[31mboom\u{fffd}]0;x\u{fffd}\u{fffd}\n\u{fffd}evil")
    }

    @Test("a flood of output is read to its end and kept in part")
    func flood() async throws {
        let output = try await Command(
            "sh",
            ["-c", "yes | head -c 3000000; yes 2>&1 | head -c 3000000 >&2; echo end >&2"],
            deadline: .seconds(300)
        )
        .run()
        #expect(output.output.count == Command.keptBytes)
        #expect(output.errors.count == Command.keptBytes)
        #expect(output.errors.suffix(4) == Array("end\n".utf8)[...])
    }

    @Test("a program that stops itself stands still until its stop was seen to, and may be ended meanwhile")
    func stops() async throws {
        let script = "echo one; kill -STOP $$; echo two; kill -STOP $$; echo three; exit 3"
        let seen = Mutex<[String]>([])
        let output = try await Command("sh", ["-c", script]).result { line in
            seen.withLock { $0.append(line) }
        } atStops: { pid in
            let state = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8).split(separator: " ")[2]
            seen.withLock { $0.append("stopped \(state)") }
        }
        #expect(output.status == 3)
        let all = seen.withLock { $0 }
        #expect(
            all.filter { $0 == "stopped T" }.count == 2
                && all.filter { !$0.hasPrefix("stopped") } == ["one", "two", "three"]
        )
        let killed = try await Command("sh", ["-c", script]).result(lines: { _ in }, atStops: { kill($0, SIGKILL) })
        #expect(killed.status == 128 + SIGKILL)
    }

    @Test("what can't be done at a stop ends the program")
    func failedStop() async throws {
        struct Failure: Error {}
        let found = Mutex<Int32>(0)
        await #expect(throws: Failure.self) {
            try await Command("sh", ["-c", "kill -STOP $$; sleep 100"]).result(lines: { _ in }) { pid in
                found.withLock { $0 = pid }
                throw Failure()
            }
        }
        #expect(kill(found.withLock { $0 }, 0) != 0)
    }

    @Test("the environment is clean and there is no standard input")
    func environment() async throws {
        let output = try await Command("sh", ["-c", "env; cat"]).run()
        let names = Set(
            output.text.split(separator: "\n").compactMap { $0.split(separator: "=").first.map(String.init) }
        )
        #expect(names.isSubset(of: ["PATH", "LANG", "LC_ALL", "HOME", "TZ", "PWD", "_", "SHLVL", "OLDPWD"]))
        #expect(output.text.contains("LANG=C"))
    }

    @Test("a program that takes too long is killed, with what it started")
    func deadline() async throws {
        let directory = try TemporaryDirectory()
        let script = "sleep 100 & echo $! > \(directory.path)/pid; wait"
        let error = await #expect(throws: KilnError.self) {
            try await Command("sh", ["-c", script], deadline: .milliseconds(300)).run()
        }
        #expect(error?.code == .toolDeadline)
        #expect(error?.exit == .deadline)
        try await expectGone(directory)
    }

    @Test("cancellation kills the program and stays a cancellation")
    func cancellation() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path
        let task = Task { try await Command("sh", ["-c", "sleep 100 & echo $! > \(path)/pid; wait"]).run() }
        while FileManager.default.contents(atPath: path + "/pid")?.isEmpty ?? true { await Task.yield() }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        try await expectGone(directory)
    }

    @Test("limits hold for the program")
    func limits() async throws {
        var limits = Command.Limits(processorSeconds: 7, addressSpace: .mebibytes(512))
        let output = try await Command("sh", ["-c", "ulimit -t; ulimit -v; ulimit -f"], limits: limits).run()
        #expect(output.text == "7\n524288\nunlimited")
        limits = Command.Limits(processorSeconds: 7, addressSpace: .mebibytes(512), fileSize: .mebibytes(1))
        let directory = try TemporaryDirectory()
        let file = try directory.file("file", [])
        let flood = try await Command("sh", ["-c", "head -c 4M /dev/zero > \(file)"], limits: limits).result()
        #expect(flood.status != 0)
        #expect(try FileManager.default.attributesOfItem(atPath: file)[.size] as? UInt64 == 1 << 20)
        withExtendedLifetime(directory) {}
    }

    @Test("each line is passed on as it comes, from both streams, and the last ones explain a failure")
    func lines() async throws {
        let seen = Mutex<[String]>([])
        let script = "echo one; echo two >&2; echo three"
        let kept = try await Command("sh", ["-c", script]).lines { line in seen.withLock { $0.append(line) } }
        #expect(kept.sorted() == ["one", "three", "two"])
        #expect(seen.withLock { $0 } == kept)
        let error = await #expect(throws: KilnError.self) {
            try await Command("sh", ["-c", "echo boom; exit 7"]).lines()
        }
        #expect(error?.code == .toolFailed)
        #expect(error?.message.contains("exit status 7") == true)
        #expect(error?.cause == "boom")
    }

    @Test("a cancelled program that may tidy up is told to end first, and is heard while it does")
    func grace() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path
        // What it says before it tidies up would be its death if nobody read it.
        let script =
            "trap 'echo bye; echo tidy > \(path)/end; exit 0' TERM; echo $$ > \(path)/pid; while :; do sleep 0.05; done"
        var command = Command("sh", ["-c", script], deadline: .seconds(60))
        command.grace = .seconds(30)
        command.endsWithParent = true
        let prepared = command
        let task = Task { try await prepared.lines() }
        // Not before it listens, which on a busy host takes its time.
        try await appears(path + "/pid")
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try String(contentsOfFile: path + "/end", encoding: .utf8) == "tidy\n")
    }

    private func appears(_ path: String) async throws {
        let end = ContinuousClock.now + .seconds(60)
        while (FileManager.default.contents(atPath: path) ?? Data()).isEmpty {
            try #require(ContinuousClock.now < end, "\(path) never came")
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    @Test("a program may see this process's environment, with more in it")
    func surroundings() async throws {
        var command = Command("sh", ["-c", "echo $KILN_TEST_WORD $LANG $HOME"])
        command.surroundings = .inherited(["KILN_TEST_WORD": "word"])
        let home = ProcessInfo.processInfo.environment["HOME"] ?? ""
        let said = try await command.run().text
        #expect(said == "word C \(home)".trimmingCharacters(in: .whitespaces))
    }

    @Test("a program may see nothing of this process's environment but what it is given")
    func onlyGiven() async throws {
        var command = Command("sh", ["-c", "echo $KILN_TEST_WORD $HOME; env | wc -l"])
        let clean = try await Command("sh", ["-c", "env | wc -l"]).run().text
        command.surroundings = .only(["KILN_TEST_WORD": "word"])
        let lines = try await command.run().text.split(separator: "\n")
        #expect(lines.first == "word /nonexistent")
        #expect(lines.last.flatMap { Int($0) } == Int(clean).map { $0 + 1 })
    }

    @Test("a program reads and writes open files")
    func files() async throws {
        let directory = try TemporaryDirectory()
        try Data("content".utf8).write(to: URL(fileURLWithPath: directory.path + "/in"))
        let input = open(directory.path + "/in", O_RDONLY | O_CLOEXEC)
        let output = open(directory.path + "/out", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        defer {
            close(input)
            close(output)
        }
        let found = try await Command("sh", ["-c", "cat; echo why >&2; exit 3"]).result(reading: input, writing: output)
        #expect(found.status == 3 && found.errors == Array("why\n".utf8))
        #expect(try String(contentsOfFile: directory.path + "/out", encoding: .utf8) == "content")
    }

    @Test("the trace has every program with its outcome, and nothing of its arguments but their length")
    func trace() async throws {
        Trace.start(sinks: [])
        let secret = "secret-\(UInt64.random(in: .min ... .max))"
        _ = try await Command("sh", ["-c", "exit 41", secret]).result()
        let line = Trace.text.split(separator: "\n").last { $0.contains("status 41") }
        #expect(line?.contains("program sh arguments=3 bytes=\(9 + secret.utf8.count) ms=") == true, "\(line ?? "")")
        #expect(!Trace.text.contains(secret))
    }

    private func expectGone(_ directory: TemporaryDirectory) async throws {
        let text = String(
            decoding: FileManager.default.contents(atPath: directory.path + "/pid") ?? Data(),
            as: UTF8.self
        )
        let pid = try #require(Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)))
        // What got the signal may still be on its way out. A zombie that nobody has reaped yet counts as gone.
        let end = ContinuousClock.now + .seconds(10)
        while let status = FileManager.default.contents(atPath: "/proc/\(pid)/stat") {
            if String(decoding: status, as: UTF8.self).contains(") Z ") { return }
            try #require(ContinuousClock.now < end, "process \(pid) runs on")
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
