import Foundation
import Glibc
import KilnModel
import KilnSystem

extension DaemonReaper {
    /// Makes what the daemon needs to find, already as the user who runs it: nothing here can be tricked into touching a
    /// file that this user couldn't touch anyway.
    static func prepare(_ layout: DaemonLayout) throws {
        guard access(layout.base + "/run", R_OK | W_OK | X_OK) == 0 else {
            let owner = (try? MachineOwner.current())?.name ?? String(geteuid())
            throw KilnError(
                .daemonHomeUnreachable,
                "user '\(owner)', who runs the machines, can't use \(layout.base)",
                hint: "let others pass through the directories above it (chmod o+x), or set KILN_HOME to another place",
                cause: String(cString: strerror(errno)),
                exit: .unreachable
            )
        }
        try forgetEarlierUptime(layout)
        for (path, text) in layout.configuration {
            try FileManager.default.createDirectory(
                atPath: URL(fileURLWithPath: path).deletingLastPathComponent().path,
                withIntermediateDirectories: true
            )
            try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        }
        if size(of: layout.log) > DaemonLayout.longestLog { truncate(layout.log, 0) }
    }

    /// Empties `run` where its content dates from before the last start of the host or container.
    ///
    /// libvirt takes XDG_RUNTIME_DIR to be emptied by a reboot. It would believe the process ids that it finds there, and
    /// kill whoever has them now.
    private static func forgetEarlierUptime(_ layout: DaemonLayout) throws {
        let epoch = currentEpoch()
        guard (try? String(contentsOfFile: layout.epochFile, encoding: .utf8)) != epoch else { return }
        let run = layout.base + "/run"
        for name in try FileManager.default.contentsOfDirectory(atPath: run) {
            try FileManager.default.removeItem(atPath: "\(run)/\(name)")
        }
        try Data(epoch.utf8).write(to: URL(fileURLWithPath: layout.epochFile), options: .atomic)
    }

    /// Names this uptime: the kernel's boot id, and when PID 1 started, which tells starts of a container apart.
    static func currentEpoch() -> String {
        let boot = (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? ""
        let first = (try? String(contentsOfFile: "/proc/1/stat", encoding: .utf8)) ?? ""
        // proc(5): the 22nd field, counted after the name, which ends with the last parenthesis.
        let fields = first.split(separator: ")").last?.split(separator: " ") ?? []
        return boot.trimmingCharacters(in: .whitespacesAndNewlines) + " " + (fields.count > 19 ? fields[19] : "")
    }

    /// Waits until a predecessor that closed its socket has ended: a successor that meets its locks would give up.
    ///
    /// libvirt holds record locks (fcntl(2)) on these files while it lives. The kiln that waits for the report has given up
    /// by the deadline; this process ends then too, so that the next start finds the daemon's lock free.
    ///
    /// - Throws: `KilnError` with code `daemon.deadline`, naming who still has the lock.
    static func awaitEnd(ofPredecessorIn layout: DaemonLayout, within limit: Duration = .seconds(60)) throws {
        let end = ContinuousClock.now + limit
        for path in layout.lockedFiles {
            let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
            guard file >= 0 else { continue }
            defer { close(file) }
            // The kernel tells of no lock that somebody else gives back.
            while let holder = RecordLock.holder(of: file) {
                guard ContinuousClock.now < end else {
                    throw KilnError(
                        .daemonDeadline,
                        "process \(holder), the private libvirt daemon before this one, has not ended after \(limit)",
                        hint: "it holds \(path); see what it waits for, or end it",
                        exit: .deadline
                    )
                }
                poll(nil, 0, 10)
            }
        }
    }

    /// Starts libvirtd, which detaches itself: its first process ends once the sockets accept connections, with status 0.
    ///
    /// `--timeout` makes it end by itself, that many seconds after the last client has left and the last machine stopped.
    static func start(_ layout: DaemonLayout, idleSeconds: Int) throws -> pid_t {
        let log = open(layout.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard log >= 0 else { throw failure("opening \(layout.log)") }
        defer { close(log) }
        guard let program = ProgramPath.find("libvirtd") else { throw missingProgram() }
        let (pid, error) = ChildProcess.spawn(
            [program, "--daemon", "--timeout=\(idleSeconds)"],
            environment: layout.environment,
            descriptors: [nil, log, log]
        )
        guard error == 0 else {
            errno = error
            throw failure("starting \(program)")
        }
        return pid
    }

    static func missingProgram() -> KilnError {
        KilnError(
            .daemonLibvirtdMissing,
            "libvirtd isn't installed: not found on \(ProgramPath.text)",
            hint: "install the package libvirt-daemon, or run 'make setup' in a checkout",
            exit: .unreachable
        )
    }

    static func startFailure(_ code: Int32, _ layout: DaemonLayout, from offset: Int) -> KilnError {
        let written = FileManager.default.contents(atPath: layout.log)?.dropFirst(offset).suffix(1500) ?? Data()
        return KilnError(
            .daemonStartFailed,
            "the private libvirt daemon didn't start: libvirtd ended with status \(code)",
            hint: "see \(layout.log)",
            cause: String(decoding: written, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines),
            exit: .unreachable
        )
    }

    static func failure(_ doing: String) -> KilnError {
        KilnError(
            .daemonStartFailed,
            "the private libvirt daemon wasn't started: \(doing) failed",
            hint: "see what this host lacks: 'kiln doctor'",
            cause: String(cString: strerror(errno)),
            exit: .unreachable
        )
    }

    static func size(of path: String) -> Int {
        var found = stat()
        return lstat(path, &found) == 0 ? Int(found.st_size) : 0
    }
}
