import CLinux
import Foundation
import Glibc
import KilnModel
import KilnSystem

/// How kiln starts a process of its own that outlives the command, keeps something running, and holds a lock as long as it lives.
struct Keeper: Sendable {
    /// What it holds.
    let lock: String

    /// The descriptors that it starts with, besides 2: where the first start is reported, and the lock.
    static let (report, held): (Int32, Int32) = (1, 3)

    static let environment = ["PATH=\(ProgramPath.text)", "LANG=C.UTF-8"]

    /// The lock, where nobody has it; its descriptor lies above what a spawned process gets.
    func take() throws -> Int32? {
        let opened = open(lock, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard opened >= 0 else { throw DurableFile.failure("open", lock) }
        defer { close(opened) }
        let descriptor = fcntl(opened, F_DUPFD_CLOEXEC, 10)
        guard descriptor >= 0 else { throw DurableFile.failure("open", lock) }
        if KernelLock.take(descriptor) { return descriptor }
        close(descriptor)
        return nil
    }

    /// Waits until nobody has the lock; false where somebody still has it at the end.
    func awaitEnd(until end: ContinuousClock.Instant) throws -> Bool {
        guard access(lock, F_OK) == 0 else { return true }
        while true {
            if let free = try take() {
                close(free)
                return true
            }
            guard ContinuousClock.now < end else { return false }
            poll(nil, 0, 10)
        }
    }

    /// Starts kiln once more, and waits for its report.
    ///
    /// - Parameter descriptor: the lock, which the caller closes.
    /// - Returns: what it reported.
    /// - Throws: `POSIXError` where kiln can't be run, and ``Silence`` where it reported nothing.
    func launch(
        _ arguments: [String],
        holding descriptor: Int32,
        until end: ContinuousClock.Instant
    ) throws -> DaemonReport {
        var raw: [Int32] = [-1, -1]
        guard pipe(&raw) == 0 else { throw DurableFile.failure("pipe", lock) }
        let ends = raw.map { fcntl($0, F_DUPFD_CLOEXEC, 10) }
        raw.forEach { close($0) }
        defer { close(ends[0]) }
        let (pid, error) = ChildProcess.spawn(
            arguments,
            environment: Keeper.environment,
            descriptors: [nil, ends[1], nil, descriptor]
        )
        close(ends[1])
        guard error == 0 else { throw POSIXError(POSIXErrorCode(rawValue: error) ?? .EIO) }
        // Usually kiln ends first. A kiln that stays must not keep the ended parent as a zombie.
        Thread.detachNewThread { ChildProcess.wait(for: pid) }
        let (said, isWhole) = Keeper.read(ends[0], until: end)
        if let report = DaemonReport(text: String(decoding: said, as: UTF8.self)) { return report }
        throw isWhole ? Silence.ended : Silence.late
    }

    /// Why nothing is known of a kiln that was started.
    enum Silence: Error {
        case ended
        case late

        /// What is said of it.
        var words: String {
            switch self {
            case .ended: "ended without a word"
            case .late: "did not say in time that it serves, which a busy host may be the reason of"
            }
        }
    }

    /// What comes through a pipe until its other end is closed, which is the event that this waits for.
    ///
    /// - Returns: also whether it was closed, and not only the time over.
    static func read(_ pipe: Int32, until end: ContinuousClock.Instant) -> (bytes: [UInt8], isWhole: Bool) {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while ContinuousClock.now < end, bytes.count < 65_536 {
            var waiting = pollfd(fd: pipe, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, Int32(clamping: max(0, Int((end - .now) / .milliseconds(1))))) > 0 else { continue }
            let count = Glibc.read(pipe, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return (bytes, count == 0) }
            bytes += chunk[..<count]
        }
        return (bytes, false)
    }
}

// MARK: - In the process itself

extension Keeper {
    /// Cuts every tie to the kiln that started it, and gives up every privilege; to be called first of all.
    ///
    /// - Parameter user: who it becomes; nothing where it is the right one already.
    /// - Throws: `POSIXError` or `KilnError` that tells what could not be done.
    static func detach(to user: String?) throws {
        signal(SIGPIPE, SIG_IGN)
        setsid()
        umask(0o077)
        if let user {
            let owner = try MachineOwner.named(user)
            guard initgroups(user, owner.gid) == 0, setgid(owner.gid) == 0, setuid(owner.uid) == 0, owner.uid != 0,
                setuid(0) != 0
            else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EPERM) }
        }
        guard chdir("/") == 0, kiln_give_up_new_privileges() == 0 else {
            throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EPERM)
        }
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            if let descriptor = Int32(name), descriptor > held { close(descriptor) }
        }
    }

    /// Reports how the first start went, once.
    static func send(_ outcome: DaemonReport) {
        let bytes = Array(outcome.text.utf8)
        _ = write(report, bytes, bytes.count)
        close(report)
    }
}
