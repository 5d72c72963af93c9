import Foundation
import Glibc
import KilnEngine
import KilnFaults
import KilnHost
import KilnModel
import KilnScenarios
import KilnStore
import KilnSystem

/// A KILN_HOME of one `kiln run`, in a mount namespace: with copies of images, a libvirt daemon and small file systems of its
/// own, so that what its faults break is nobody else's.
///
/// The command becomes itself once more, inside. Reports and evidence are links to those of the home outside, where they stay. A
/// lock beside it, which passes on to what the command becomes, tells whether that lives.
struct OwnWorld: Sendable {
    let path: String

    private static let variable = "KILN_OWN_WORLD"
    private static let linked = ["reports", "evidence", "ssh"]

    /// The one that this process is in; nothing where it is in none.
    static let current: OwnWorld? = {
        // The descriptor of the lock, and the path.
        let said = ProcessInfo.processInfo.environment[variable]?.split(separator: ":", maxSplits: 1) ?? []
        guard said.count == 2, let lock = Int32(said[0]) else { return nil }
        // A daemon that inherited it would make it look as if the command lived.
        _ = fcntl(lock, F_SETFD, FD_CLOEXEC)
        return OwnWorld(path: String(said[1]))
    }()

    /// Goes on with this command in a new one.
    ///
    /// - Throws: `KilnError` where that can't be, with nothing left.
    static func enter(_ workspace: Workspace, _ scenarios: [Scenario]) async throws -> Never {
        guard workspace.connection.kind == .privateDaemon else { throw foreign(workspace) }
        _ = removeAbandoned(in: workspace.state.root)
        let world = OwnWorld(path: "\(worlds(workspace.state.root))/\(getpid())")
        try DurableFile.makeDirectory(worlds(workspace.state.root))
        let lock = try FileLock(world.lock, subject: "the home of a run")
        do {
            try await world.make(workspace, scenarios)
            let rights = geteuid() == 0 ? [] : ["--map-current-user", "--keep-caps"]
            try ProcessImage.become(
                ["unshare"] + rights + ["--mount", "--propagation", "private", "--", Workspace.executable]
                    + CommandLine.arguments.dropFirst(),
                variables: ["KILN_HOME": world.path, variable: "\(lock.handOver()):\(world.path)"],
                package: "util-linux"
            )
        } catch {
            world.remove()
            throw error
        }
    }

    private static func foreign(_ workspace: Workspace) -> KilnError {
        KilnError(
            .faultImpossible,
            "a fault of the host is made with kiln's own libvirt daemon only, and this is \(workspace.connection)",
            hint: "leave --connect and LIBVIRT_DEFAULT_URI out",
            exit: .aborted
        )
    }

    private func make(_ workspace: Workspace, _ scenarios: [Scenario]) async throws {
        try DurableFile.makeDirectory(path)
        // The user who runs root's machines has to pass.
        for folder in [DurableFile.directory(of: path), path] { chmod(folder, 0o755) }
        for name in OwnWorld.linked {
            let target = "\(workspace.state.root)/\(name)"
            try DurableFile.makeDirectory(target)
            try FileManager.default.createSymbolicLink(atPath: "\(path)/\(name)", withDestinationPath: target)
        }
        let images = scenarios.reduce(into: Set<ImageReference>()) { $0.formUnion($1.images) }
        try await workspace.images.copy(images, to: path + "/images")
    }

    /// Mounts its small file systems, large enough for what the scenarios declare.
    ///
    /// - Parameter jobs: how many of them run at once.
    /// - Throws: `KilnError` where this process may not mount.
    func furnish(for scenarios: [Scenario], jobs: Int) throws {
        let declared = scenarios.map { $0.lab.volumes.values.map { Double($0.size.bytes) }.reduce(0, +) }.max() ?? 0
        // Twice, since a volume that was sealed has a layer more; they only take the memory that is written.
        let volumes = min(Double(1 << 30), 2 * declared + Double(128 << 20))
        let sizes: [HomePart: Int] = [.labs: jobs * 512 << 20, .volumes: jobs * Int(volumes)]
        for (part, size) in sizes {
            let folder = folder(of: part)
            try DurableFile.makeDirectory(folder)
            chmod(folder, 0o755)
            guard mount("kiln", folder, "tmpfs", UInt(MS_NOSUID | MS_NODEV), "size=\(size),mode=755") == 0 else {
                throw KilnError(
                    .faultImpossible,
                    "no file system can be mounted on \(folder), which a home of the run's own needs",
                    hint: "run it as root, or allow unprivileged user namespaces",
                    cause: String(cString: strerror(errno)),
                    exit: .aborted
                )
            }
        }
        // What is retained is renamed, which no file system does into another.
        let retained = folder(of: .volumes) + "/.retained"
        try DurableFile.makeDirectory(retained)
        try FileManager.default.createSymbolicLink(atPath: path + "/retained", withDestinationPath: retained)
    }

    /// Ends all that is left in it, and removes it.
    func leave() async {
        await endProcesses()
        for part in HomePart.allCases { umount2(folder(of: part), Int32(MNT_DETACH)) }
        remove()
    }

    private var lock: String { path + ".lock" }

    private func remove() {
        HomeAlias(home: path).remove()
        try? FileManager.default.removeItem(atPath: path)
        unlink(lock)
    }
}

// MARK: - Faults

extension OwnWorld: OwnHome {
    func folder(of part: HomePart) -> String { "\(path)/\(part.rawValue)" }

    func daemon() async throws -> Int32? {
        let daemon = SessionDaemon(home: path, owner: try MachineOwner.current(), executable: Workspace.executable)
        guard case .running(let pid) = try await daemon.status() else { return nil }
        return pid
    }
}

// MARK: - Worlds of commands that were killed

extension OwnWorld {
    private static func worlds(_ home: String) -> String { home + "/worlds" }

    /// Ends and removes those whose command does not live any more.
    ///
    /// - Parameter dryRun: whether to tell only.
    /// - Returns: what was removed, or would be, a line each.
    static func removeAbandoned(in home: String, dryRun: Bool = false) -> [String] {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: worlds(home))) ?? []
        var removed: [String] = []
        for file in files.sorted() where file.hasSuffix(".lock") {
            let world = OwnWorld(path: "\(worlds(home))/\(file.dropLast(".lock".count))")
            // Who holds the lock lives.
            guard let lock = try? FileLock(world.lock, subject: "the home of a run") else { continue }
            defer { withExtendedLifetime(lock) {} }
            if !dryRun {
                for process in world.processes { kill(process, SIGKILL) }
                world.remove()
            }
            removed.append("the home of a killed run, \(world.path)")
        }
        return removed
    }

    /// The names of what runs in one, as the kernel has them: at most 15 bytes.
    private static let programs = ["kiln", "libvirtd", "virtlogd", "qemu-system"]

    /// The processes whose arguments or environment name it, but for this one: the daemon, its parent, machines and switches.
    private var processes: [Int32] {
        let all = ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }
        let needle = Data((path + "/").utf8)
        return all.filter { pid in
            let name = (try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8)) ?? ""
            return pid != getpid() && OwnWorld.programs.contains { name.hasPrefix($0) }
                && ["cmdline", "environ"].contains { file in
                    FileManager.default.contents(atPath: "/proc/\(pid)/\(file)")?.range(of: needle) != nil
                }
        }
    }

    private func endProcesses() async {
        let end = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < end {
            let left = processes
            guard !left.isEmpty else { return }
            for process in left { kill(process, SIGKILL) }
            // No event tells of the end of processes that are nobody's children here.
            try? await Task.sleep(for: .milliseconds(50))
        }
    }
}
