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
    var generations: String { server + "/generations" }
    var volumes: String { path + "/volumes" }
    var volume: String { volumes + "/sweep/data" }
    var sockets: String { path + "/sockets" }
    /// What lies here is the sweep's own.
    var scratch: String { path + "/sweep" }
    var labFile: String { scratch + "/lab.yaml" }
    var machineLogs: String { path + "/daemon/cache/libvirt/qemu/log" }
    var daemonSocket: String { path + "/daemon/run/libvirt/libvirt-sock" }

    /// Mounts the file systems and writes the lab's file.
    ///
    /// - Parameter images: the image store, used in place.
    func make(images: String, for operation: Operation) throws {
        // The user who runs root's machines has to pass.
        try LaneHome.mount(path, size: "1g", mode: "755")
        for directory in [labs, volumes, scratch] {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        }
        try mountLabs()
        try LaneHome.mount(volumes, size: "192m", mode: "755")
        if operation.faults.contains(.fullOverlay) {
            try FileManager.default.createDirectory(atPath: generations, withIntermediateDirectories: true)
            try LaneHome.mount(generations, size: "96m", mode: "755")
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
            // The daemon's parent ends by itself, as soon as it has reaped the others.
            for process in alive where process.name != "kiln" || alive.count == 1 { kill(process.pid, SIGKILL) }
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

    /// The generation that a QEMU embodies, which its domain's name says.
    static func generation(of machine: Processes.Process) -> Int? {
        let name = machine.arguments.first { $0.hasPrefix("guest=kiln.sweep.web.") }
        return name?.dropFirst("guest=kiln.sweep.web.".count).split(separator: ",").first.flatMap { Int($0) }
    }

    /// The name of a generation's domain.
    static func domain(_ generation: Int) -> String { "kiln.sweep.web.\(generation)" }

    /// The machines that have a file of the volume open for writing.
    var writers: [Processes.Process] {
        machines.filter { machine in
            Processes.openForWriting(machine.pid).contains { $0.hasPrefix(volume + "/") && $0.hasSuffix(".qcow2") }
        }
    }

    /// The names of the volume's layers, the active one last, as `volume.json` says.
    func layers() throws -> [String] {
        struct Record: Decodable { let layers: [String] }
        return try JSONDecoder().decode(Record.self, from: try contents(volume + "/volume.json")).layers
    }
}

/// What a file holds.
func contents(_ path: String) throws -> Data {
    guard let data = FileManager.default.contents(atPath: path) else { throw Failure("\(path) can't be read") }
    return data
}
