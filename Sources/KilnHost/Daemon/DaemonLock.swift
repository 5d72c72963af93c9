import Foundation
import Glibc
import KilnModel
import KilnSystem

/// Serialises the starts of the daemon of one home.
///
/// Only the kernel's lock on the open file counts; the file stays for ever and means nothing. The reaper inherits the
/// open file and keeps the lock until the daemon is ready, so a kiln that dies meanwhile lets nobody start a second one.
struct DaemonLock: ~Copyable {
    let descriptor: Int32

    /// Waits for the lock until `deadline`.
    ///
    /// The wait only ever happens while another kiln starts the daemon, for about a tenth of a second.
    ///
    /// - Throws: `KilnError` with code `daemon.deadline` when the time is over, `daemon.lock` where the file can't be
    ///   opened.
    init(path: String, deadline: ContinuousClock.Instant) throws {
        descriptor = try DaemonLock.acquire(path, deadline)
    }

    deinit { close(descriptor) }

    private static func acquire(_ path: String, _ deadline: ContinuousClock.Instant) throws -> Int32 {
        let opened = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard opened >= 0 else { throw unusable(path, errno) }
        // Above what a spawned process gets as standard streams, even if kiln was started with some of them closed.
        let descriptor = fcntl(opened, F_DUPFD_CLOEXEC, 10)
        close(opened)
        do {
            try wait(descriptor, path, deadline)
            return descriptor
        } catch {
            close(descriptor)
            throw error
        }
    }

    private static func wait(_ descriptor: Int32, _ path: String, _ deadline: ContinuousClock.Instant) throws {
        guard !KernelLock.wait(descriptor, until: deadline) else { return }
        guard errno == EWOULDBLOCK else { throw unusable(path, errno) }
        throw KilnError(
            .daemonDeadline,
            "another kiln has been starting the private libvirt daemon for too long; it holds \(path)",
            hint: "see who with `fuser \(path)`, or try again",
            exit: .deadline
        )
    }

    private static func unusable(_ path: String, _ code: Int32) -> KilnError {
        KilnError(
            .daemonLock,
            "the lock file \(path) can't be used",
            hint: "check that KILN_HOME belongs to the user who runs kiln",
            cause: String(cString: strerror(code)),
            exit: .unreachable
        )
    }
}
