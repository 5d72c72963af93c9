import Foundation
import Glibc
import KilnModel
import KilnSystem

extension SessionDaemon {
    func start() throws -> String {
        let end = ContinuousClock.now + deadline
        try prepareDirectories()
        let layout = try layout()
        if try listener(layout) != nil { return layout.uri }
        guard ProgramPath.find("libvirtd") != nil else { throw DaemonReaper.missingProgram() }
        let lock = try DaemonLock(path: directory + "/lock", deadline: end)
        // Another kiln may have started it while this one waited for the lock.
        if try listener(layout) == nil { try launch(layout, holding: lock.descriptor, until: end) }
        guard try listener(layout) != nil else {
            throw failed("it ended at once", cause: nil, layout)
        }
        return layout.uri
    }

    /// Makes KILN_HOME and the daemon's directories, those for ``owner`` included.
    private func prepareDirectories() throws {
        let mode: mode_t = geteuid() == 0 ? 0o755 : 0o700
        do {
            let parent = URL(fileURLWithPath: alias.home).deletingLastPathComponent().path
            try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
        } catch {
            throw unusable(alias.home, "\(error.localizedDescription)")
        }
        try make(alias.home, mode)
        try make(directory, mode)
        guard ownerOf(directory) == geteuid() else {
            throw unusable(directory, "it belongs to user id \(ownerOf(directory).map(String.init) ?? "?")")
        }
        for name in DaemonLayout.directories {
            try make("\(directory)/\(name)", 0o700)
            try owner.give("\(directory)/\(name)")
        }
    }

    private func make(_ path: String, _ mode: mode_t) throws {
        if mkdir(path, mode) == 0 {
            // The umask may have taken bits away.
            chmod(path, mode)
        } else if errno != EEXIST {
            throw unusable(path, String(cString: strerror(errno)))
        }
    }

    private func ownerOf(_ path: String) -> uid_t? {
        var found = stat()
        return lstat(path, &found) == 0 && found.st_mode & S_IFMT == S_IFDIR ? found.st_uid : nil
    }

    private func launch(_ layout: DaemonLayout, holding lock: Int32, until end: ContinuousClock.Instant) throws {
        var ends: (read: Int32, write: Int32) = (-1, -1)
        try makePipe(&ends)
        defer { close(ends.read) }
        let (pid, error) = ChildProcess.spawn(
            DaemonReaper.arguments(
                executable: executable,
                base: layout.base,
                idleSeconds: idleSeconds,
                user: owner.uid == geteuid() ? nil : owner.name
            ),
            environment: layout.environment,
            descriptors: [nil, ends.write, nil, lock]
        )
        close(ends.write)
        guard error == 0 else {
            throw failed("\(executable) can't be run", cause: String(cString: strerror(error)), layout)
        }
        // Usually kiln ends first. A kiln that stays must not keep the ended reaper as a zombie.
        Thread.detachNewThread { ChildProcess.wait(for: pid) }
        switch DaemonReport(text: try read(ends.read, until: end, layout)) {
        case .ready: return
        case .failed(let error): throw error
        case nil: throw failed("\(executable) ended without saying why", cause: nil, layout)
        }
    }

    private func makePipe(_ ends: inout (read: Int32, write: Int32)) throws {
        var raw: [Int32] = [-1, -1]
        guard pipe(&raw) == 0 else { throw unusable(directory, String(cString: strerror(errno))) }
        // As high as the lock's, for the same reason.
        ends = (fcntl(raw[0], F_DUPFD_CLOEXEC, 10), fcntl(raw[1], F_DUPFD_CLOEXEC, 10))
        raw.forEach { close($0) }
    }

    /// Reads until the reaper closes its end: that is the event that this waits for.
    private func read(_ pipe: Int32, until end: ContinuousClock.Instant, _ layout: DaemonLayout) throws -> String {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let left = end - ContinuousClock.now
            var waiting = pollfd(fd: pipe, events: Int16(POLLIN), revents: 0)
            let ready = poll(&waiting, 1, max(0, Int32(clamping: Int(left / .milliseconds(1)))))
            if ready < 0 && errno == EINTR { continue }
            guard ready > 0 else {
                throw KilnError(
                    .daemonDeadline,
                    "the private libvirt daemon wasn't ready after \(deadline)",
                    hint: "try again, it may still be starting; else see \(layout.log)",
                    exit: .deadline
                )
            }
            let count = Glibc.read(pipe, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += chunk[..<count]
        }
    }

    private func failed(_ reason: String, cause: String?, _ layout: DaemonLayout) -> KilnError {
        KilnError(
            .daemonStartFailed,
            "the private libvirt daemon didn't start: \(reason)",
            hint: "see \(layout.log)",
            cause: cause,
            exit: .unreachable
        )
    }

    private func unusable(_ path: String, _ cause: String) -> KilnError {
        KilnError(
            .daemonHomeUnusable,
            "\(path) can't serve as a home of machines",
            hint: "set KILN_HOME to a place that belongs to the user who runs kiln",
            cause: cause,
            exit: .unreachable
        )
    }
}
