import Foundation
import Glibc
import KilnModel
import KilnSystem
import Synchronization

/// What stands in a terminal while an embedded libvirt works: passes signals on, and ends as the command ended.
///
/// With `qemu:///embed?root=DIR` libvirt's driver lives in kiln's own process, and every QEMU is an orphan from birth.
/// Where PID 1 doesn't reap orphans promptly they would stay zombies, and libvirt would wait for their end, for up to a
/// minute each. And the process of the driver can't reap them, for it would take libvirt's own children away. So kiln runs
/// itself twice more: this process, then ``EmbedReaper``, then the worker, which is kiln with the same arguments, working
/// directory, environment and open files.
///
/// One socket ties the three together. Towards the reaper it carries the numbers of signals, a byte each, for the worker;
/// back comes the worker's end, once. If this process dies, the reaper sees the socket close, and kills the worker: as
/// without all this, `kill -9` of the process that a user sees leaves nobody who goes on.
public enum EmbedFront {
    /// The process id of the reaper, for its child alone: what a worker starts is no worker.
    static let workerVariable = "KILN_EMBED_WORKER"

    private static let channel = Atomic<Int32>(-1)

    /// Becomes what stands in for a worker, or the reaper, and never returns, if `arguments` and the environment ask for it.
    ///
    /// To be called in kiln's main, before anything makes a thread. In the worker, sees to it that libvirt's log goes to
    /// `libvirt.log` in the root and not to standard error, unless the user has set LIBVIRT_LOG_OUTPUTS.
    public static func runIfNeeded(arguments: [String]) {
        EmbedReaper.runIfRequested(arguments: arguments)
        guard let root = root(of: arguments) else { return }
        if isWorker() {
            setenv("LIBVIRT_LOG_OUTPUTS", EmbedRoot.logOutputs(root), 0)
            return
        }
        do {
            end(like: try run(arguments))
        } catch {
            FileHandle.standardError.write(Data("kiln: \(error)\n".utf8))
            exit(ExitCode.internalError.rawValue)
        }
    }

    /// The root of the embedded libvirt that a command line will use; nothing where it uses none.
    ///
    /// A URI that isn't acceptable is none; whoever opens it says why.
    static func root(
        of arguments: [String],
        environment: [String: String] = ProcessEnvironment.variables
    ) -> String? {
        let connection = try? HostConnection.resolve(option: option(in: arguments), environment: environment, lab: nil)
        guard case .embedded(let root) = connection?.kind else { return nil }
        return root
    }

    /// The value of `--connect`: of several, the last, as the parser has it; what follows `--` is for a guest.
    static func option(in arguments: [String]) -> String? {
        var found: String?
        var words = arguments.dropFirst().prefix { $0 != "--" }
        while let word = words.popFirst() {
            if word == "--connect" { found = words.popFirst() }
            if word.hasPrefix("--connect=") { found = String(word.dropFirst("--connect=".count)) }
        }
        return found
    }

    private static func isWorker() -> Bool {
        let parent = ProcessInfo.processInfo.environment[workerVariable]
        unsetenv(workerVariable)
        return parent == String(getppid())
    }

    /// Runs the command below a reaper; the result is what wait(2) reports of the worker.
    private static func run(_ arguments: [String]) throws -> Int32 {
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw EmbedReaper.failure("making a socket", errno)
        }
        // Above what a process has as standard streams, even if kiln was started with some of them closed.
        let (own, others) = (fcntl(ends[0], F_DUPFD_CLOEXEC, 10), fcntl(ends[1], F_DUPFD, 10))
        ends.forEach { close($0) }
        let program = try EmbedReaper.program()
        let (_, error) = ChildProcess.spawn(
            EmbedReaper.arguments(for: arguments, channel: others),
            program: program,
            environment: EmbedReaper.environment(),
            descriptors: []
        )
        close(others)
        guard error == 0 else { throw EmbedReaper.failure("running \(program)", error) }
        channel.store(own, ordering: .releasing)
        passSignalsOn()
        return try awaitEnd(own)
    }

    /// SIGINT and SIGTERM always, as kiln itself always handles them; the others unless whoever started kiln ignores them.
    private static func passSignalsOn() {
        for number in [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH] {
            var before = sigaction()
            sigaction(number, nil, &before)
            let isIgnored = unsafeBitCast(before.__sigaction_handler.sa_handler, to: Int.self) == 1
            if isIgnored && number != SIGINT && number != SIGTERM { continue }
            signal(number) { EmbedFront.pass($0) }
        }
    }

    // Runs in a signal handler: only what signal-safety(7) allows.
    private static func pass(_ number: Int32) {
        var byte = UInt8(truncatingIfNeeded: number)
        // MSG_NOSIGNAL: the reaper may be gone, which the reader of the other direction notices.
        _ = send(channel.load(ordering: .acquiring), &byte, 1, Int32(MSG_NOSIGNAL))
    }

    private static func awaitEnd(_ channel: Int32) throws -> Int32 {
        var status: Int32 = 0
        while true {
            let count = recv(channel, &status, MemoryLayout.size(ofValue: status), Int32(MSG_WAITALL))
            if count == MemoryLayout.size(ofValue: status) { return status }
            guard count < 0 && errno == EINTR else {
                throw EmbedReaper.failure("waiting for its end", count < 0 ? errno : 0)
            }
        }
    }

    /// Ends this process with the same status, or by the same signal.
    private static func end(like status: Int32) -> Never {
        let number = status & 0x7f
        if number != 0 {
            signal(number, SIG_DFL)
            kill(getpid(), number)
        }
        exit(ChildProcess.exitStatus(status))
    }
}
