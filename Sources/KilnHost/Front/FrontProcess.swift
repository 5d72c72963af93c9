import CLinux
import Foundation
import Glibc
import KilnModel
import KilnSystem

/// The process that keeps a front: what kiln runs itself once more for.
///
/// It starts HAProxy again when that dies, and with another configuration when it gets SIGHUP: then HAProxy hands its listening sockets
/// over, so that no client finds nobody. Where the keeper dies, HAProxy goes on, and the next command makes another keeper for it.
/// It keeps the front's lock, and runs as the user who runs machines, without a privilege.
public enum FrontProcess {
    static let argument = "__front"

    /// The arguments of kiln that make it one.
    static func arguments(_ place: FrontPlace, program: String, executable: String, user: String?) -> [String] {
        [executable, argument, place.base, program] + (user.map { [$0] } ?? [])
    }

    /// Becomes one, and never returns, if `arguments` say so.
    ///
    /// To be called first of all in kiln's main.
    public static func runIfRequested(arguments: [String]) {
        guard (4...5).contains(arguments.count), arguments[1] == argument else { return }
        var keeping = FrontKeeping(place: FrontPlace(base: arguments[2]), program: arguments[3])
        do {
            try Keeper.detach(to: arguments.count == 5 ? arguments[4] : nil)
            // HAProxy becomes an orphan, as daemons do, and this process the one that hears of its end.
            guard kiln_become_child_subreaper() == 0 else { throw POSIXError(.EPERM) }
        } catch {
            Keeper.send(.failed(failure("\(error)", of: keeping.place)))
            exit(1)
        }
        keeping.run()
    }

    static func failure(_ cause: String, of front: FrontPlace) -> KilnError {
        KilnError(
            .frontFailed,
            "the front at \(front.socket) wasn't started",
            hint: "see what this host lacks: 'kiln doctor'",
            cause: cause,
            exit: .aborted
        )
    }
}

/// A keeper at work.
struct FrontKeeping {
    let place: FrontPlace
    let program: String
    /// The HAProxys that are its children, also those that still end what they have begun.
    private var started: Set<Int32> = []

    init(place: FrontPlace, program: String) {
        self.place = place
        self.program = program
    }

    mutating func run() -> Never {
        var signals = sigset_t()
        sigemptyset(&signals)
        for signal in [SIGCHLD, SIGHUP, SIGTERM] { sigaddset(&signals, signal) }
        sigprocmask(SIG_BLOCK, &signals, nil)
        if !isAsTold {
            let first = launch()
            guard first.status == 0 else {
                Keeper.send(.failed(FrontProcess.failure(first.said, of: place)))
                exit(1)
            }
        }
        Keeper.send(.ready)
        keep(signals)
    }

    private mutating func keep(_ signals: sigset_t) -> Never {
        var signals = signals
        // Without a configuration it is not wanted any more.
        while access(place.configuration, F_OK) == 0 {
            // Where a start failed it is tried again; nothing tells of a port that has become free, nor of the end of a process
            // that another keeper started.
            var second = timespec(tv_sec: 1, tv_nsec: 0)
            let signal = sigtimedwait(&signals, nil, &second)
            if signal == SIGTERM { break }
            while true {
                let ended = waitpid(-1, nil, WNOHANG)
                guard ended > 0 else { break }
                started.remove(ended)
            }
            guard signal == SIGHUP || !isRunning else { continue }
            _ = launch()
        }
        end()
    }

    // HAProxy forks itself away once it listens, and says by its exit status whether it does.
    private mutating func launch() -> FrontAttempt {
        let old = try? front.about()?.process
        let handover = old.map { ["-x", place.socket, "-sf", "\($0)"] } ?? []
        let (status, said) = HAProxy.run(
            [program, "-D", "-f", place.configuration] + handover
        )
        if status == 0, let process = try? front.about()?.process { started.insert(process) }
        let attempt = FrontAttempt(status: status, said: said)
        try? DurableFile.writeJSON(attempt, to: place.attempt, mode: 0o600)
        return attempt
    }

    // One whose keeper was killed goes on as it is: who waits in it would wait in vain in the shadow of another.
    private var isAsTold: Bool {
        guard let about = (try? front.about()) ?? nil,
            let told = FileManager.default.contents(atPath: place.configuration)
        else { return false }
        return String(decoding: told, as: UTF8.self).contains("description \(about.ground)\n")
    }

    private var front: FrontSocket { FrontSocket(place: place) }

    // One that does not answer is no reason to start another beside it.
    private var isRunning: Bool {
        do { return try front.about() != nil } catch { return true }
    }

    // At once: whoever waits for an answer has waited for a server that is gone.
    private func end() -> Never {
        let adopted = (try? front.about()?.process).map { [$0] } ?? []
        for process in started.union(adopted) { kill(process, SIGTERM) }
        while waitpid(-1, nil, 0) > 0 || errno == EINTR {}
        for path in place.present { unlink(path) }
        exit(0)
    }
}

/// The program.
enum HAProxy {
    static let name = "haproxy"

    /// How long it may take to start.
    private static let patience = Duration.seconds(10)

    /// Runs it until it has forked itself away, or failed; what it said on its way.
    static func run(_ arguments: [String]) -> (status: Int32, said: String) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return (1, String(cString: strerror(errno))) }
        let held = ends.map { fcntl($0, F_DUPFD_CLOEXEC, 10) }
        ends.forEach { close($0) }
        let (pid, error) = ChildProcess.spawn(
            arguments,
            environment: Keeper.environment,
            descriptors: [nil, held[1], held[1], nil]
        )
        close(held[1])
        defer { close(held[0]) }
        guard error == 0 else { return (1, String(cString: strerror(error))) }
        // It closes what it was given when it has forked itself away.
        let (bytes, isWhole) = Keeper.read(held[0], until: .now + patience)
        if !isWhole { kill(pid, SIGKILL) }
        return (ChildProcess.wait(for: pid), Printable.text(bytes))
    }
}
