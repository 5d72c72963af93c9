import CLinux
import Foundation
import Glibc
import KilnModel
import KilnSystem
import Synchronization

/// The parent of the worker and of every QEMU of an embedded libvirt: a small process that reaps.
///
/// See ``EmbedFront``. It lives in a session of its own and ends when its last descendant has, so that a machine which
/// outlives the command that started it is reaped when a later command, in another process, ends it.
enum EmbedReaper {
    static let argument = "__embed"

    private static let childEnded = Atomic<Int32>(-1)

    /// The arguments of kiln that make it the reaper, above a worker with `arguments`.
    static func arguments(for arguments: [String], channel: Int32) -> [String] {
        [arguments.first ?? "kiln", argument, String(channel)] + arguments.dropFirst()
    }

    /// The worker's arguments and the channel; nothing where these aren't arguments of the reaper.
    static func request(in arguments: [String]) -> (worker: [String], channel: Int32)? {
        guard arguments.count >= 3, arguments[1] == argument, let channel = Int32(arguments[2]) else { return nil }
        return ([arguments[0]] + arguments.dropFirst(3), channel)
    }

    static func runIfRequested(arguments: [String]) {
        guard let (command, channel) = request(in: arguments) else { return }
        do {
            let notice = try becomeReaper(channel)
            let worker = try start(command)
            letGo(keeping: [channel, notice])
            watch(worker, channel, notice)
            close(channel)
            reapAll()
        } catch {
            FileHandle.standardError.write(Data("kiln: \(error)\n".utf8))
            tell(channel, ExitCode.internalError.rawValue << 8)
        }
        exit(0)
    }

    /// - Returns: a descriptor that becomes readable when a child has ended.
    private static func becomeReaper(_ channel: Int32) throws -> Int32 {
        setsid()
        var ends: [Int32] = [-1, -1]
        guard kiln_become_child_subreaper() == 0, pipe(&ends) == 0,
            fcntl(channel, F_SETFD, FD_CLOEXEC) == 0
        else { throw failure("becoming a reaper", errno) }
        let notice = (read: fcntl(ends[0], F_DUPFD_CLOEXEC, 10), write: fcntl(ends[1], F_DUPFD_CLOEXEC, 10))
        ends.forEach { close($0) }
        // A full pipe tells as much as another byte would.
        _ = fcntl(notice.write, F_SETFL, O_NONBLOCK)
        childEnded.store(notice.write, ordering: .releasing)
        signal(SIGCHLD) { _ in
            var byte: UInt8 = 0
            _ = write(EmbedReaper.childEnded.load(ordering: .acquiring), &byte, 1)
        }
        return notice.read
    }

    private static func start(_ command: [String]) throws -> pid_t {
        let program = try program()
        let (pid, error) = ChildProcess.spawn(
            command,
            program: program,
            environment: environment() + ["\(EmbedFront.workerVariable)=\(getpid())"],
            descriptors: []
        )
        guard error == 0 else { throw failure("running \(program)", error) }
        return pid
    }

    /// Closes what belongs to the worker alone: a pipe's reader waits for the last writer, and a lock for its last holder.
    private static func letGo(keeping kept: Set<Int32>) {
        _ = chdir("/")
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        for stream in 0...2 { dup2(null, Int32(stream)) }
        let kept = kept.union([0, 1, 2, childEnded.load(ordering: .acquiring)])
        let open = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        for descriptor in open.compactMap({ Int32($0) }) where !kept.contains(descriptor) { close(descriptor) }
    }

    /// Reaps, and passes signals on, until the worker has ended; tells how.
    private static func watch(_ worker: pid_t, _ channel: Int32, _ notice: Int32) {
        var waiting = [
            pollfd(fd: channel, events: Int16(POLLIN), revents: 0),
            pollfd(fd: notice, events: Int16(POLLIN), revents: 0),
        ]
        var bytes = [UInt8](repeating: 0, count: 64)
        while true {
            if poll(&waiting, nfds_t(waiting.count), -1) < 0 { continue }
            if waiting[1].revents != 0 {
                _ = read(notice, &bytes, bytes.count)
                if let status = reap(until: worker) { return tell(channel, status) }
            }
            guard waiting[0].revents != 0 else { continue }
            let count = read(channel, &bytes, bytes.count)
            if count < 0 && errno == EINTR { continue }
            // The worker is a child that wasn't waited for yet, so its number can't belong to another process.
            for number in bytes.prefix(max(0, count)) { kill(worker, Int32(number)) }
            if count <= 0 {
                kill(worker, SIGKILL)
                waiting[0].fd = -1
            }
        }
    }

    /// Reaps who has ended; the worker's status if it is among them.
    private static func reap(until worker: pid_t) -> Int32? {
        var status: Int32 = 0
        while true {
            let child = waitpid(-1, &status, WNOHANG)
            if child == worker { return status }
            if child < 0 && errno == EINTR { continue }
            if child <= 0 { return nil }
        }
    }

    /// Reaps machines that live on, to the last.
    private static func reapAll() {
        var status: Int32 = 0
        while wait(&status) > 0 || errno == EINTR {}
    }

    private static func tell(_ channel: Int32, _ status: Int32) {
        var status = status
        _ = send(channel, &status, MemoryLayout.size(ofValue: status), Int32(MSG_NOSIGNAL))
    }

    /// This program.
    static func program() throws -> String {
        do {
            return try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        } catch {
            throw failure("finding this program", errno)
        }
    }

    static func environment() -> [String] { ProcessInfo.processInfo.environment.map { "\($0.key)=\($0.value)" } }

    static func failure(_ doing: String, _ code: Int32) -> KilnError {
        KilnError(
            .embedNotStarted,
            "the process for the embedded libvirt failed: \(doing)",
            cause: code == 0 ? nil : String(cString: strerror(code))
        )
    }
}
