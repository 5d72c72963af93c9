import Foundation
import Glibc
import KilnModel
import KilnSystem

/// The process of a switch and the one that starts it again: what kiln runs itself once more for.
///
/// The parent waits for the switch and starts another one when it dies, which binds the same paths, so that machines notice
/// nothing. Where the parent dies, the switch becomes the parent of a new one. Both keep the network's lock, which they have
/// inherited, so there is never a second pair; both run as the user who runs machines, without a privilege.
public enum SwitchProcess {
    static let argument = "__switch"
    /// The descriptor of which the parent holds the other end; what else they start with says ``Keeper``.
    static let parent: Int32 = 0
    /// The exit status of a switch that could not begin.
    private static let unable: Int32 = 3

    enum Role: String {
        /// The parent, made by a command.
        case begin
        /// The parent, made from a switch that lost its own.
        case supervise
        /// The switch.
        case serve
    }

    /// The arguments of kiln that make it one of them.
    static func arguments(_ role: Role, _ place: SwitchPlace, executable: String = "kiln", user: String? = nil)
        -> [String]
    {
        [executable, argument, role.rawValue, place.base] + (user.map { [$0] } ?? [])
    }

    /// Becomes one of them, and never returns, if `arguments` say so.
    ///
    /// To be called first of all in kiln's main.
    public static func runIfRequested(arguments: [String]) {
        guard (4...5).contains(arguments.count), arguments[1] == argument, let role = Role(rawValue: arguments[2])
        else { return }
        signal(SIGPIPE, SIG_IGN)
        let place = SwitchPlace(base: arguments[3])
        switch role {
        case .begin: begin(place, user: arguments.count == 5 ? arguments[4] : nil)
        case .supervise: supervise(place, isFirst: false)
        case .serve: serve(place)
        }
    }

    private static func begin(_ place: SwitchPlace, user: String?) -> Never {
        do {
            try Keeper.detach(to: user)
            if access(place.table, F_OK) != 0 { try DurableFile.writeJSON(SwitchTable(), to: place.table, mode: 0o600) }
        } catch {
            Keeper.send(.failed(failure("\(error)")))
            exit(1)
        }
        supervise(place, isFirst: true)
    }

    private static func supervise(_ place: SwitchPlace, isFirst: Bool) -> Never {
        var reports = isFirst
        while access(place.table, F_OK) == 0 {
            let status = runSwitch(place, reports: reports)
            if status == 0 { break }
            if reports, status == unable {
                place.remove()
                exit(1)
            }
            reports = false
            // What dies at once would else be started thousands of times.
            poll(nil, 0, 200)
        }
        place.remove()
        exit(0)
    }

    // Starts a switch and waits for its end: its exit status, or 128 and the signal.
    private static func runSwitch(_ place: SwitchPlace, reports: Bool) -> Int32 {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return 1 }
        let held = fcntl(ends[1], F_DUPFD_CLOEXEC, 10)
        // A switch that becomes a parent keeps what is not closed by exec.
        _ = fcntl(ends[0], F_SETFD, FD_CLOEXEC)
        close(ends[1])
        defer { close(held) }
        let (pid, error) = ChildProcess.spawn(
            arguments(.serve, place),
            program: "/proc/self/exe",
            environment: Keeper.environment,
            descriptors: [ends[0], reports ? Keeper.report : nil, nil, Keeper.held]
        )
        close(ends[0])
        if reports { close(Keeper.report) }
        return error == 0 ? ChildProcess.wait(for: pid) : 1
    }

    private static func serve(_ place: SwitchPlace) -> Never {
        guard access(place.table, F_OK) == 0 else { exit(0) }
        do {
            let loop = try SwitchLoop(place)
            Keeper.send(.ready)
            switch loop.run(parent: parent) {
            case .asked: exit(0)
            case .forgotten:
                place.remove(loop)
                exit(0)
            case .orphaned: becomeParent(place)
            }
        } catch {
            Keeper.send(.failed(failure("\(error)")))
            exit(unable)
        }
    }

    // The same process, with the lock and nothing else of before: every other descriptor is closed by exec.
    private static func becomeParent(_ place: SwitchPlace) -> Never {
        let words = arguments(.supervise, place).map { strdup($0) } + [nil]
        _ = execv("/proc/self/exe", words)
        exit(1)
    }

    private static func failure(_ cause: String) -> KilnError {
        KilnError(
            .networkSwitchFailed,
            "the switch of a network wasn't started",
            hint: "see what this host lacks: 'kiln doctor'",
            cause: cause,
            exit: .aborted
        )
    }
}
