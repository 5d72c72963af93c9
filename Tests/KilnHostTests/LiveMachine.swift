import Foundation
import Glibc
import KilnEngine
import KilnHost
import KilnModel

/// What a test on real QEMU needs: a home of its own and a machine in it.
struct LiveMachine {
    /// The host's adapters.
    struct Parts {
        let local: LocalHost
        let parts: EngineParts
        var ports: any HostPorts { parts.ports }
    }

    static let image = ProcessInfo.processInfo.environment["KILN_TEST_IMAGE"]

    let home: String
    let host: Parts
    let id: MachineID

    init() async throws {
        home = "/tmp/kiln-live-\(getpid())"
        let program = DaemonTestHome.executable ?? ""
        let connect = ProcessInfo.processInfo.environment["KILN_TEST_CONNECT"]
        let local = try await LocalHost.open(home: home, connect: connect, executable: program)
        print("connection:", local.connection, "user:", local.machines.user as Any)
        host = Parts(local: local, parts: local.engineParts(images: NoImages(), progress: { _ in }))
        id = ServerID(lab: try Name("live"), server: try Name("web")).machine(Generation(1))
    }

    /// A machine with a layer, a seed and a volume.
    func spec(_ image: String) async throws -> MachineSpec {
        let state = host.local.state
        try FileManager.default.createDirectory(atPath: state.generation(id), withIntermediateDirectories: true)
        for name in ["disk.qcow2", "kernel", "initrd"] {
            try FileManager.default.copyItem(atPath: "\(image)/\(name)", toPath: "\(home)/\(name)")
        }
        let base = home + "/disk.qcow2"
        try await host.parts.disks.createLayer(at: state.rootOverlay(id), over: base)
        try host.parts.disks.giveToMachines(state.rootOverlay(id))
        let seed = [
            "meta-data": "instance-id: live-1\nlocal-hostname: web\n", "user-data": "#cloud-config\n{}\n",
        ]
        try await host.parts.seeds.writeSeed(seed, to: state.seed(id))
        return MachineSpec(
            id: id,
            uuid: UUID(),
            acceleration: host.parts.machines.acceleration,
            memory: .mebibytes(256),
            processors: 1,
            boot: .direct(
                kernel: home + "/kernel",
                initrd: home + "/initrd",
                commandLine: "root=LABEL=root rw console=ttyS0 quiet"
            ),
            root: MachineSpec.Disk(path: state.rootOverlay(id), backing: [base]),
            seed: state.seed(id),
            volumes: [],
            network: .open,
            consoleSocket: state.consoleSocket(id),
            consoleLog: state.consoleLog(id),
            agentSocket: state.agentSocket(id),
            ledgerSocket: state.ledgerSocket(id),
            user: host.parts.machines.user
        )
    }

    /// Leaves nothing behind.
    func end() async {
        try? await host.parts.machines.powerOff(id)
        try? await host.parts.machines.undefine(id)
        await host.local.close()
        try? FileManager.default.removeItem(atPath: home)
    }
}

/// An image source without images.
struct NoImages: ImageSource {
    func verifiedImage(_ reference: ImageReference) async throws -> StoredImage {
        throw KilnError("image.missing", "there is no image \(reference)")
    }
}

/// A listener on a port of 127.0.0.1 that the kernel chose; it accepts nothing.
final class Listener: Sendable {
    let port: UInt16
    let socket: Int32

    init() throws {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, length) }
        }
        let told = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket, $0, &length) }
        }
        guard bound == 0, told == 0, listen(socket, 8) == 0 else { throw KilnError("test.no-listener", "no listener") }
        self.socket = socket
        port = UInt16(bigEndian: address.sin_port)
    }

    deinit { close(socket) }
}
