import CLinux
import Foundation
import Glibc
import KilnModel
import Synchronization

/// A shell of the user's in the foreground of the terminal, while this process waits behind it.
///
/// It has a process group of its own, so what is typed reaches it alone: Ctrl-C in it interrupts what runs in it, not this process.
public enum HostShell {
    private struct State {
        var pid: pid_t = 0
        var isCancelled = false
    }

    /// Runs it until it ends; a task that is cancelled hangs it up.
    ///
    /// - Parameter variables: set besides those that this process has.
    /// - Throws: `KilnError` where there is no terminal in whose foreground this process is, or no shell.
    public static func run(variables: [String: String]) async throws {
        let state = Mutex(State())
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                // It blocks for as long as the user likes.
                Thread.detachNewThread {
                    continuation.resume(with: Result { try follow(variables, state) })
                }
            }
        } onCancel: {
            state.withLock { state in
                state.isCancelled = true
                hangUp(state.pid)
            }
        }
    }

    private static func follow(_ variables: [String: String], _ state: borrowing Mutex<State>) throws {
        let terminal = try HostTerminal()
        defer { terminal.takeBack() }
        let pid = try spawn(variables)
        state.withLock { state in
            state.pid = pid
            if state.isCancelled { hangUp(pid) }
        }
        defer { state.withLock { $0.pid = 0 } }
        while true {
            var status: Int32 = 0
            let found = waitpid(pid, &status, WUNTRACED)
            if found < 0 && errno == EINTR { continue }
            guard found == pid, status & 0xff == 0x7f else { return }
            // Nobody could wake a shell that suspends itself: there is none above it.
            kill(-pid, SIGCONT)
        }
    }

    // A shell ends by a hangup, and hands it on; one that ignores it is ended.
    private static func hangUp(_ pid: pid_t) {
        guard pid > 0 else { return }
        kill(-pid, SIGHUP)
        kill(-pid, SIGCONT)
        DispatchQueue.global().asyncAfter(deadline: .now() + 3) {
            // While its parent has not waited for it, nobody else has its number.
            if waitid(P_PID, id_t(pid), nil, WEXITED | WNOHANG | WNOWAIT) == 0 { kill(pid, SIGKILL) }
        }
    }

    private static func spawn(_ variables: [String: String]) throws -> pid_t {
        let environment = ProcessInfo.processInfo.environment
        let shell = environment["SHELL"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "/bin/sh"
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK))
        posix_spawnattr_setpgroup(&attributes, 0)
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // Standard output may be a file that takes the report.
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/tty", O_RDWR, 0)
        posix_spawn_file_actions_adddup2(&actions, 0, 1)
        posix_spawn_file_actions_adddup2(&actions, 0, 2)
        // Before its first instruction, so that it never finds itself in the background.
        kiln_spawn_take_terminal(&actions, 0)
        kiln_spawn_close_from(&actions, 3)
        let arguments: [UnsafeMutablePointer<CChar>?] = [strdup(shell), strdup("-i"), nil]
        let words: [UnsafeMutablePointer<CChar>?] =
            environment.merging(variables) { _, given in given }.map { strdup("\($0.key)=\($0.value)") }
            + [nil]
        defer { (arguments + words).forEach { free($0) } }
        var pid: pid_t = 0
        let problem = posix_spawn(&pid, shell, &actions, &attributes, arguments, words)
        guard problem == 0 else {
            throw KilnError(
                .toolMissing,
                "the shell \(Name.quoted(shell)) can't be run",
                hint: "let SHELL name one",
                cause: String(cString: strerror(problem))
            )
        }
        return pid
    }
}

/// The terminal that this process has in the foreground, to be had again.
private struct HostTerminal: ~Copyable {
    private let descriptor: Int32
    private let settings: termios

    init() throws {
        let descriptor = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var settings = termios()
        guard descriptor >= 0, tcgetpgrp(descriptor) == getpgrp(), tcgetattr(descriptor, &settings) == 0 else {
            if descriptor >= 0 { close(descriptor) }
            throw KilnError(
                .usage,
                "no shell can be opened: this process is not in the foreground of a terminal",
                hint: "run it in the foreground",
                exit: .usage
            )
        }
        self.descriptor = descriptor
        self.settings = settings
    }

    deinit { close(descriptor) }

    /// Puts this process into the foreground again, with the terminal as it was.
    func takeBack() {
        // In the background, who asks for the terminal would be stopped.
        var (blocked, before) = (sigset_t(), sigset_t())
        sigemptyset(&blocked)
        sigaddset(&blocked, SIGTTOU)
        pthread_sigmask(SIG_BLOCK, &blocked, &before)
        tcsetpgrp(descriptor, getpgrp())
        var settings = settings
        tcsetattr(descriptor, TCSADRAIN, &settings)
        pthread_sigmask(SIG_SETMASK, &before, nil)
    }
}
