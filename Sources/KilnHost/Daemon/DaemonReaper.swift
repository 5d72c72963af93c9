import CLinux
import Foundation
import Glibc
import KilnModel
import KilnSystem

/// The parent of the private daemon and of every QEMU: a small process that reaps.
///
/// QEMUs are orphans from birth, because libvirt detaches them. Where PID 1 doesn't reap orphans promptly, as in many
/// containers, they would stay zombies, and libvirt would wait for their end for up to a minute. So kiln runs itself once
/// more, as this process: in a session of its own, without privileges, the subreaper (prctl(2)) of all that descends from
/// it. It ends when its last descendant has, be that the daemon or a machine that outlived it.
public enum DaemonReaper {
    static let argument = "__daemon"
    /// Descriptors that the process starts with, besides 0 and 2.
    static let report: Int32 = 1
    static let lock: Int32 = 3

    /// The arguments of kiln that make it the reaper.
    static func arguments(executable: String, base: String, idleSeconds: Int, user: String?) -> [String] {
        [executable, argument, base, String(idleSeconds)] + (user.map { [$0] } ?? [])
    }

    /// Becomes the reaper, and never returns, if `arguments` say so.
    ///
    /// To be called first of all in kiln's main.
    public static func runIfRequested(arguments: [String]) {
        guard (4...5).contains(arguments.count), arguments[1] == argument, let idle = Int(arguments[3]) else { return }
        let user = arguments.count == 5 ? arguments[4] : nil
        do {
            try detach()
            if let user { try dropPrivileges(to: user) }
            let layout = DaemonLayout(base: arguments[2])
            try prepare(layout)
            try awaitEnd(ofPredecessorIn: layout)
            let logged = size(of: layout.log)
            reap(try start(layout, idleSeconds: idle), layout, logged: logged)
        } catch let error as KilnError {
            send(.failed(error))
        } catch {
            send(
                .failed(
                    KilnError(
                        .daemonStartFailed,
                        "the private libvirt daemon wasn't started",
                        hint: "see what this host lacks: 'kiln doctor'",
                        cause: "\(error)"
                    )
                )
            )
        }
        exit(0)
    }

    /// Cuts every tie to the kiln that started this process: its terminal, its signals, its open files.
    private static func detach() throws {
        // The kiln that waits for the report may be gone.
        signal(SIGPIPE, SIG_IGN)
        setsid()
        umask(0o077)
        guard chdir("/") == 0, kiln_become_child_subreaper() == 0 else { throw failure("detaching") }
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            if let descriptor = Int32(name), descriptor > lock { close(descriptor) }
        }
        for descriptor in [report, lock] { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    }

    /// Gives up root for good.
    private static func dropPrivileges(to user: String) throws {
        let owner = try MachineOwner.named(user)
        guard initgroups(user, owner.gid) == 0, setgid(owner.gid) == 0, setuid(owner.uid) == 0 else {
            throw failure("becoming user '\(user)'")
        }
        guard owner.uid != 0, setuid(0) != 0 else {
            throw KilnError(
                .daemonStartFailed,
                "the private libvirt daemon would have run as root",
                hint: "see what this host lacks: 'kiln doctor'"
            )
        }
    }

    /// Waits for every child, telling once how the start went.
    private static func reap(_ launcher: pid_t, _ layout: DaemonLayout, logged: Int) {
        while true {
            var status: Int32 = 0
            let child = wait(&status)
            if child < 0 && errno == EINTR { continue }
            if child < 0 { return }
            guard child == launcher else { continue }
            let code = ChildProcess.exitStatus(status)
            send(code == 0 ? .ready : .failed(startFailure(code, layout, from: logged)))
        }
    }

    /// Sends the report and lets go of everything that the kilns wait for.
    private static func send(_ outcome: DaemonReport) {
        let bytes = Array(outcome.text.utf8)
        _ = write(report, bytes, bytes.count)
        close(report)
        close(lock)
    }
}
