import Foundation
import Glibc
import Synchronization

/// A program that was started: an argument vector, no shell, its output in files.
///
/// Not Foundation's `Process`, which takes a process to run for as long as anything has inherited a descriptor from it, such
/// as a machine that outlives it.
package final class Child: Sendable {
    /// How it ended.
    package struct End: Sendable {
        /// Its exit status; 128 and the signal where one ended it.
        package let status: Int32
        package let output: String
        package let errors: String
    }

    package let pid: Int32
    private let line: [String]
    private let files: (output: String, errors: String)
    private let status = Mutex<Int32?>(nil)

    /// Starts a program with exactly this environment, its output going to new files in `directory`.
    package init(_ line: [String], environment: [String: String], directory: String) throws {
        self.line = line
        let base = "\(directory)/io-\(UInt64.random(in: .min ... .max))"
        files = (base + ".out", base + ".err")
        pid = try Child.spawn(line, environment, streams: ["/dev/null", files.output, files.errors])
    }

    deinit { for path in [files.output, files.errors] { unlink(path) } }

    /// What it has said on standard output by now.
    package var output: String { (try? String(contentsOfFile: files.output, encoding: .utf8)) ?? "" }

    /// What it has said on standard error by now.
    package var errors: String { (try? String(contentsOfFile: files.errors, encoding: .utf8)) ?? "" }

    package func send(_ signal: Int32) { if !hasEnded { kill(pid, signal) } }

    /// Whether it has ended; its status is collected then.
    package var hasEnded: Bool { status.withLock { reap(&$0, options: WNOHANG) } }

    /// Waits for the end.
    ///
    /// - Throws: `Failure` where that takes longer than `limit`; it is dead then.
    package func finish(within limit: Duration = .seconds(240)) throws -> End {
        let deadline = ContinuousClock.now + limit
        // waitpid(2) knows no deadline.
        while !hasEnded {
            guard ContinuousClock.now < deadline else {
                send(SIGCONT)
                send(SIGKILL)
                _ = status.withLock { reap(&$0, options: 0) }
                throw Failure("'\(summary)' did not end within \(limit); it said: \(errors.suffix(500))")
            }
            pause(.milliseconds(10))
        }
        return End(status: status.withLock { $0 } ?? -1, output: output, errors: errors)
    }

    /// Waits until it has stopped itself at a failpoint; false where it ended instead.
    package func awaitStop(within limit: Duration = .seconds(180)) throws -> Bool {
        let deadline = ContinuousClock.now + limit
        while !hasEnded {
            if Processes.state(of: pid) == "T" { return true }
            guard ContinuousClock.now < deadline else {
                send(SIGKILL)
                throw Failure("'\(summary)' reached no failpoint within \(limit); it said: \(errors.suffix(500))")
            }
            pause(.milliseconds(20))
        }
        return false
    }

    private var summary: String { line.suffix(6).joined(separator: " ") }

    private func reap(_ collected: inout Int32?, options: Int32) -> Bool {
        if collected != nil { return true }
        var raw: Int32 = 0
        var found = waitpid(pid, &raw, options)
        while found < 0 && errno == EINTR { found = waitpid(pid, &raw, options) }
        guard found == pid else { return false }
        // wait(2): the low seven bits are the signal that ended the process, the next eight its exit status.
        let signal = raw & 0x7f
        collected = signal == 0 ? (raw >> 8) & 0xff : 128 + signal
        return true
    }

    /// Starts a process whose first descriptors are the files at these paths.
    private static func spawn(_ line: [String], _ environment: [String: String], streams: [String]) throws -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (descriptor, path) in zip(Int32(0)..., streams) {
            let flags = descriptor == 0 ? O_RDONLY : O_WRONLY | O_CREAT | O_APPEND
            posix_spawn_file_actions_addopen(&actions, descriptor, path, flags, 0o600)
        }
        return try spawn(line, environment, &actions)
    }

    /// Starts a process with the given file actions.
    package static func spawn(
        _ line: [String],
        _ environment: [String: String],
        _ actions: inout posix_spawn_file_actions_t
    ) throws -> Int32 {
        var pid: pid_t = 0
        let arguments = line.map { strdup($0) } + [nil]
        let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in arguments + variables { free(text) } }
        // A process group of its own, so that a terminal's Ctrl-C reaches the program only through this one.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setpgroup(&attributes, 0)
        // An ignored signal would be inherited.
        var signals = sigset_t()
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF))
        let error = posix_spawnp(&pid, line[0], &actions, &attributes, arguments, variables)
        guard error == 0 else { throw Failure("\(line[0]) can't be started: \(String(cString: strerror(error)))") }
        return pid
    }
}

/// Blocks this thread; for conditions of other processes, of which no event tells.
package func pause(_ duration: Duration) { poll(nil, 0, Int32(duration / .milliseconds(1))) }

/// Waits until a condition holds.
///
/// - Throws: `Failure` after `limit`.
package func awaitThat(_ what: @autoclosure () -> String, within limit: Duration, _ condition: () throws -> Bool) throws
{
    let deadline = ContinuousClock.now + limit
    while try !condition() {
        guard ContinuousClock.now < deadline else { throw Failure("not within \(limit): \(what())") }
        pause(.milliseconds(20))
    }
}
