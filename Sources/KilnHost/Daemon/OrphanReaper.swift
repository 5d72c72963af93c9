import CLinux
import Foundation
import Glibc

/// Reaps QEMUs that libvirt detached inside this process, as ``DaemonReaper`` does beside the private daemon.
///
/// libvirt waits for up to a minute until a QEMU that it has killed is gone, and where PID 1 doesn't reap orphans promptly
/// it stays a zombie for that long: a first start took four minutes. So they become orphans of this process. libvirt's own
/// children must not be reaped; they are of this process's session, which everything that was detached has left.
enum OrphanReaper {
    // No event tells of the end of an orphan: SIGCHLD belongs to libvirt and to those who start programs.
    private static let interval: TimeInterval = 0.05

    private static let isRunning: Bool = {
        guard kiln_become_child_subreaper() == 0 else { return false }
        Thread.detachNewThread {
            while true {
                reap()
                Thread.sleep(forTimeInterval: interval)
            }
        }
        return true
    }()

    /// Reaps from now on, until this process ends; a second call does nothing.
    static func start() { _ = isRunning }

    private static func reap() {
        let session = getsid(0)
        var found = siginfo_t()
        // Only looks: what it finds may be for somebody else to reap, who will do so soon.
        while waitid(P_ALL, 0, &found, WEXITED | WNOHANG | WNOWAIT) == 0 {
            let pid = found._sifields._sigchld.si_pid
            guard pid > 0, getsid(pid) != session else { return }
            waitpid(pid, nil, WNOHANG)
            found = siginfo_t()
        }
    }
}
