import Foundation
import Glibc
import KilnOutside

/// A KILN_HOME in memory, in which each of state, root overlays and volumes has a small file system of its own.
///
/// Whoever makes one runs in a mount namespace of his own, which takes the file systems along when it ends.
struct LaneHome: Sendable {
    let path: String
    /// The program that is tried.
    let kiln: String

    var labs: String { path + "/labs" }
    var server: String { labs + "/sweep/servers/web" }
    var volumes: String { path + "/volumes" }
    var sockets: String { path + "/sockets" }
    /// What lies here is the sweep's own.
    var scratch: String { path + "/sweep" }
    var labFile: String { scratch + "/lab.yaml" }
    var machineLogs: String { path + "/daemon/cache/libvirt/qemu/log" }
    var daemonSocket: String { path + "/daemon/run/libvirt/libvirt-sock" }

    /// Mounts the file systems and writes the lab's file.
    ///
    /// - Parameters:
    ///   - images: the image store, used in place.
    ///   - members: those that the server will have.
    ///   - ownOverlays: whether the root overlays of each have a file system of their own.
    func make(images: String, members: [LaneMember], ownOverlays: Bool) throws {
        // The user who runs root's machines has to pass.
        try LaneHome.mount(path, size: "1g", mode: "755")
        for directory in [labs, volumes, scratch] {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        }
        try mountLabs()
        try LaneHome.mount(volumes, size: "\(192 * members.count)m", mode: "755")
        for member in members where ownOverlays {
            try FileManager.default.createDirectory(atPath: member.generations, withIntermediateDirectories: true)
            try LaneHome.mount(member.generations, size: "96m", mode: "755")
        }
        try FileManager.default.createSymbolicLink(atPath: path + "/images", withDestinationPath: images)
    }

    // Small blocks: a journal's next record must not find room in the rest of its last block for long. tmpfs has 4 KiB.
    private func mountLabs() throws {
        let image = scratch + "/labs.img"
        let blocks = try tool(["mke2fs", "-q", "-t", "ext4", "-b", "1024", image, "65536"])
        let options = ["mount", "-t", "ext4", "-o", "loop,nosuid,nodev", image, labs]
        // A container may have no loop devices.
        if try blocks.status != 0 || tool(options).status != 0 {
            return try LaneHome.mount(labs, size: "64m", mode: "755")
        }
        rmdir(labs + "/lost+found")
    }

    private static func mount(_ path: String, size: String, mode: String) throws {
        let status = Glibc.mount("kiln-sweep", path, "tmpfs", UInt(MS_NOSUID | MS_NODEV), "size=\(size),mode=\(mode)")
        guard status == 0 else { throw Failure("no tmpfs on \(path): \(String(cString: strerror(errno)))") }
    }

    /// Ends every process that belongs to a home.
    static func endProcesses(of home: String) {
        let deadline = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < deadline {
            let alive = Processes.below(home).filter { $0.name != "kiln-sweep" }
            if alive.isEmpty { break }
            // The daemon's parent ends by itself, as soon as it has reaped the others. A front's keeper does not, and would
            // start the front again.
            for process in alive
            where process.name != "kiln" || process.isFrontKeeper || alive.count == 1 {
                kill(process.pid, SIGKILL)
            }
            pause(.milliseconds(50))
        }
    }

    /// What every kiln of this home sees of the environment.
    func environment(failpoint: String?) -> [String: String] {
        var environment = [
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8",
            "KILN_HOME": path, "HOME": path, "XDG_RUNTIME_DIR": path + "/run",
        ]
        environment["KILN_FAILPOINT"] = failpoint
        return environment
    }

    /// Starts kiln.
    func start(_ arguments: [String], failpoint: String? = nil) throws -> Child {
        try Child([kiln] + arguments, environment: environment(failpoint: failpoint), directory: scratch)
    }

    /// Runs kiln to its end.
    func run(_ arguments: [String], failpoint: String? = nil, within limit: Duration = .seconds(240)) throws
        -> Child.End
    {
        try start(arguments, failpoint: failpoint).finish(within: limit)
    }

    /// Runs another program to its end.
    func tool(_ line: [String], within limit: Duration = .seconds(60)) throws -> Child.End {
        try Child(line, environment: environment(failpoint: nil), directory: scratch).finish(within: limit)
    }

    /// Runs virsh on the home's daemon.
    func virsh(_ arguments: [String]) throws -> Child.End {
        try tool(["virsh", "-q", "-c", "qemu+unix:///session?socket=\(daemonSocket)"] + arguments)
    }

    /// The QEMU processes of this home.
    var machines: [Processes.Process] { Processes.below(path).filter { $0.name.hasPrefix("qemu-system") } }

    /// How many machines have a layer of each of these volumes open for writing.
    func writers(of volumes: [String]) -> [Int] {
        let open = machines.map { Processes.openForWriting($0.pid) }
        return volumes.map { volume in open.count { LaneHome.isLayer(of: volume, among: $0) } }
    }

    static func isLayer(of volume: String, among files: [String]) -> Bool {
        files.contains { $0.hasPrefix(volume + "/") && $0.hasSuffix(".qcow2") }
    }
}

/// What a file holds.
func contents(_ path: String) throws -> Data {
    guard let data = FileManager.default.contents(atPath: path) else { throw Failure("\(path) can't be read") }
    return data
}
