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
        guard let said = getenv(variable).map({ String(cString: $0) }) else { return nil }
        // No program that is started from here is in it by itself.
        unsetenv(variable)
        return OwnWorld(handedOver: said, home: ProcessInfo.processInfo.environment["KILN_HOME"] ?? "")
    }()

    private init(path: String) { self.path = path }

    /// The one that is handed over; nothing where what is said is not true, for all that is in it is removed.
    ///
    /// - Parameters:
    ///   - said: the descriptor of its lock and its path, `7:/srv/kiln/worlds/4711`.
    ///   - home: KILN_HOME.
    init?(handedOver said: String, home: String) {
        let parts = said.split(separator: ":", maxSplits: 1).map(String.init)
        guard parts.count == 2, let descriptor = Int32(parts[0]), parts[1] == home else { return nil }
        self.init(path: home)
        guard (DurableFile.directory(of: home) as NSString).lastPathComponent == "worlds",
            FileLock.isHandedOver(descriptor, as: lock)
        else { return nil }
        // A daemon that inherited it would make it look as if the command lived.
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    /// Goes on with this command in a new one.
    ///
    /// - Throws: `KilnError` where that can't be, with nothing left.
    static func enter(_ workspace: Workspace, _ scenarios: [Scenario]) async throws -> Never {
        guard workspace.connection.kind == .privateDaemon else { throw foreign(workspace) }
        _ = try WorldRoom(for: scenarios)
        try await requireNamespace()
        _ = await removeAbandoned(in: workspace.state.root)
        let world = OwnWorld(path: "\(worlds(workspace.state.root))/\(getpid())")
        try DurableFile.makeDirectory(worlds(workspace.state.root))
        let lock = try FileLock(world.lock, subject: "the home of a run")
        do {
            try await world.make(workspace, scenarios)
            try withExtendedLifetime(lock) {
                try ProcessImage.become(
                    namespace + [Workspace.executable] + CommandLine.arguments.dropFirst(),
                    variables: ["KILN_HOME": world.path, variable: "\(lock.handOver()):\(world.path)"],
                    package: "util-linux"
                )
            }
        } catch {
            world.remove()
            throw error
        }
    }

    /// What runs a program in a mount namespace of its own.
    private static var namespace: [String] {
        let rights = geteuid() == 0 ? [] : ["--map-current-user", "--keep-caps"]
        return ["unshare"] + rights + ["--mount", "--propagation", "private", "--"]
    }

    // Before anything is copied.
    private static func requireNamespace() async throws {
        let tried = try await Command(namespace[0], namespace.dropFirst() + ["true"]).result()
        guard tried.status != 0 else { return }
        throw impossible(
            "no mount namespace can be made, which a home of the run's own needs",
            cause: Printable.text(tried.errors)
        )
    }

    private static func impossible(_ what: String, cause: String) -> KilnError {
        KilnError(
            .faultImpossible,
            what,
            hint: "run it as root, or allow unprivileged user namespaces",
            cause: cause,
            exit: .aborted
        )
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
        // The lock is this process's, so what has its name belongs to nobody.
        try DurableFile.remove(path)
        try DurableFile.makeDirectory(path)
        // The user who runs root's machines has to pass.
        for folder in [DurableFile.directory(of: path), path] { chmod(folder, 0o755) }
        for name in OwnWorld.linked {
            let target = "\(workspace.state.root)/\(name)"
            try DurableFile.makeDirectory(target)
            try link("\(path)/\(name)", to: target)
        }
        let images = try scenarios.reduce(into: Set<ImageReference>()) { $0.formUnion(try $1.images) }
        try await workspace.images.copy(images, to: path + "/images")
    }

    private func link(_ path: String, to target: String) throws {
        guard symlink(target, path) == 0 else { throw DurableFile.failure("link", path) }
    }

    /// Mounts its small file systems, large enough for what the scenarios declare.
    ///
    /// - Throws: `KilnError` where this process may not mount, or there is no room for them.
    func furnish(for scenarios: [Scenario]) throws {
        for (part, size) in try WorldRoom(for: scenarios).sizes {
            let folder = folder(of: part)
            try DurableFile.makeDirectory(folder)
            chmod(folder, 0o755)
            guard mount("kiln", folder, "tmpfs", UInt(MS_NOSUID | MS_NODEV), "size=\(size),mode=755") == 0 else {
                throw OwnWorld.impossible(
                    "no file system can be mounted on \(folder), which a home of the run's own needs",
                    cause: String(cString: strerror(errno))
                )
            }
        }
        // What is retained is renamed, which no file system does into another.
        let retained = folder(of: .volumes) + "/.retained"
        try DurableFile.makeDirectory(retained)
        try link(path + "/retained", to: retained)
    }

    /// Ends all that is left in it, and removes it; also where the run was interrupted.
    func leave() async {
        // An unstructured task does not inherit the cancellation.
        await Task { await endProcesses() }.value
        for part in HomePart.allCases { umount2(folder(of: part), Int32(MNT_DETACH)) }
        remove()
    }

    private var lock: String { path + ".lock" }

    // The lock goes last, and only where nothing is left: whoever finds it removes the rest.
    private func remove() {
        HomeAlias(home: path).remove()
        guard (try? DurableFile.remove(path)) != nil else { return }
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
    static func removeAbandoned(in home: String, dryRun: Bool = false) async -> [String] {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: worlds(home))) ?? []
        var removed: [String] = []
        for file in files.sorted() where file.hasSuffix(".lock") {
            let world = OwnWorld(path: "\(worlds(home))/\(file.dropLast(".lock".count))")
            // Who holds the lock lives.
            guard let lock = try? FileLock(world.lock, subject: "the home of a run") else { continue }
            if !dryRun { await world.leave() }
            withExtendedLifetime(lock) {}
            removed.append("the home of a killed run, \(world.path)")
        }
        return removed
    }

    /// The names of what runs in one, as the kernel has them.
    private static let programs = ["kiln", "libvirtd", "virtlogd", "qemu-system", "postgres"]

    /// The daemon, its parent, machines, switches and services: by their arguments or environment, where sockets have short names.
    var processes: [Int32] {
        HostProcesses.naming([path, HomeAlias(home: path).link]).filter { pid in
            let name = HostProcesses.name(of: pid) ?? ""
            return OwnWorld.programs.contains { name.hasPrefix($0) }
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
