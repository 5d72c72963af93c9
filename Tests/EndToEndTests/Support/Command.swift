import Foundation
import Glibc
import KilnModel
import Testing

/// What a command left behind.
struct Finished: Sendable {
    /// Its exit status; 128 and the signal where one ended it.
    let status: Int32
    /// Its standard output.
    let out: Data
    /// Its standard error.
    let errors: String
    /// How long it took.
    let duration: Duration

    var text: String { String(decoding: out, as: UTF8.self) }

    /// The status as kiln means it.
    var exit: KilnModel.ExitCode? { KilnModel.ExitCode(rawValue: status) }

    /// Standard output as one JSON document of a type; anything before or after it is a failure.
    func json<Value: Decodable>(_ type: Value.Type) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: out)
        } catch {
            Issue.record("not one JSON document of \(type): \(error)\n\(text)\n\(errors)")
            throw error
        }
    }
}

/// A program that was started.
///
/// Not Foundation's `Process`: that takes a process to run for as long as anything has inherited a descriptor from it, which
/// may be a machine that outlives it.
final class Command: Sendable {
    let pid: Int32
    private let files: (out: URL, errors: URL)
    private let start = ContinuousClock.now
    private let ended: AsyncStream<Int32>

    /// Starts a program with nothing on its standard input, or with `input`.
    init(_ program: String, _ arguments: [String], environment: [String: String], input: String = "") throws {
        let base = FileManager.default.temporaryDirectory.appendingPathComponent("kiln-e2e-io-\(UUID().uuidString)")
        files = (base.appendingPathExtension("out"), base.appendingPathExtension("err"))
        let standardInput = base.appendingPathExtension("in")
        try Data(input.utf8).write(to: standardInput)
        for file in [files.out, files.errors] { try Data().write(to: file) }
        defer { try? FileManager.default.removeItem(at: standardInput) }
        let started = try Command.spawn(
            [program] + arguments,
            environment.map { "\($0.key)=\($0.value)" },
            streams: [standardInput.path, files.out.path, files.errors.path]
        )
        pid = started
        let (ended, continuation) = AsyncStream<Int32>.makeStream()
        self.ended = ended
        Thread.detachNewThread {
            var status: Int32 = 0
            while waitpid(started, &status, 0) < 0 && errno == EINTR {}
            // wait(2): the low seven bits are the signal that ended the process, the next eight its exit status.
            let signal = status & 0x7f
            continuation.yield(signal == 0 ? (status >> 8) & 0xff : 128 + signal)
            continuation.finish()
        }
    }

    // Also of one that nobody waits for.
    deinit { for file in [files.out, files.errors] { try? FileManager.default.removeItem(at: file) } }

    private static func spawn(_ line: [String], _ environment: [String], streams: [String]) throws -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (descriptor, path) in zip(Int32(0)..., streams) {
            let flags = descriptor == 0 ? O_RDONLY : O_WRONLY
            posix_spawn_file_actions_addopen(&actions, descriptor, path, flags, 0)
        }
        var pid: pid_t = 0
        let arguments = line.map { strdup($0) } + [nil]
        let variables = environment.map { strdup($0) } + [nil]
        defer { for text in arguments + variables { free(text) } }
        let error = posix_spawn(&pid, line[0], &actions, nil, arguments, variables)
        try #require(error == 0, "\(line[0]): \(String(cString: strerror(error)))")
        return pid
    }

    /// What stands on standard error by now.
    var errors: String { (try? String(contentsOf: files.errors, encoding: .utf8)) ?? "" }

    /// What stands on standard output by now.
    var output: String { (try? String(contentsOf: files.out, encoding: .utf8)) ?? "" }

    func send(_ signal: Int32) { kill(pid, signal) }

    /// Waits for the end; a command that takes longer than `limit` is killed, and that is a failure.
    func finish(within limit: Duration = .seconds(300)) async throws -> Finished {
        let pid = pid
        let watch = Task {
            try await Task.sleep(for: limit)
            Issue.record("pid \(pid) did not end within \(limit)")
            kill(pid, SIGKILL)
        }
        var status: Int32?
        for await ending in ended { status = ending }
        watch.cancel()
        // A test whose time is up is cancelled.
        guard let status else {
            kill(pid, SIGKILL)
            throw CancellationError()
        }
        return Finished(
            status: status,
            out: try Data(contentsOf: files.out),
            errors: errors,
            duration: ContinuousClock.now - start
        )
    }

    /// Waits until the process has stopped itself at a failpoint.
    func awaitStop(within limit: Duration = .seconds(120)) async throws {
        try await eventually("pid \(pid) has stopped; it said: \(errors)", within: limit) {
            Processes.state(of: pid) == "T"
        }
    }
}

/// Waits until a condition of another process holds, of which no event tells.
func eventually(
    _ what: @autoclosure () -> String,
    within limit: Duration = .seconds(30),
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < deadline else { throw Unfulfilled(what: what(), limit: limit) }
        try await Task.sleep(for: .milliseconds(50))
    }
}

/// Something that did not come to hold.
struct Unfulfilled: Error, CustomStringConvertible {
    let what: String
    let limit: Duration
    var description: String { "not within \(limit): \(what)" }
}
