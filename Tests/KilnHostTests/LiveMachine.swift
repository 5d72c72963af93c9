import Foundation
import KilnEngine
import KilnModel

@testable import KilnHost

/// What a test on real QEMU needs: a home of its own and a machine in it.
struct LiveMachine {
    static let image = ProcessInfo.processInfo.environment["KILN_TEST_IMAGE"]

    let home: String
    let host: LocalHost
    let id: MachineID
    private let http: Name

    var machines: LibvirtMachines { host.machines }
    var guests: GuestWays { host.guests }

    init() async throws {
        home = FileManager.default.temporaryDirectory.path + "/kiln-live-\(UUID().uuidString)"
        let connect = ProcessInfo.processInfo.environment["KILN_TEST_CONNECT"]
        host = try await LocalHost.open(home: home, connect: connect, executable: DaemonTestHome.executable ?? "kiln")
        http = try Name("http")
        id = MemberID(lab: try Name("live"), server: try Name("web")).machine(Generation(1))
    }

    /// Any port that nobody uses now.
    func freePort() -> UInt16? {
        let ports = LoopbackPorts()
        return ports.choice.shuffled().first { ports.isFree($0, .tcp) }
    }

    /// What the guest's web server answers.
    func health(_ port: UInt16) async -> ProbeFinding {
        await LoopbackProbe().http(HTTPProbe(port: http, path: "/health"), on: port, within: .seconds(2))
    }

    /// Whether something becomes true within 30 s; the guest has no event for it.
    func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
        let end = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < end {
            if try await condition() { return true }
            try await Task.sleep(for: .milliseconds(100))
        }
        return false
    }

    /// Does something and prints how long it took.
    func timed<Result>(_ name: String, _ body: () async throws -> Result) async rethrows -> Result {
        let start = ContinuousClock.now
        let result = try await body()
        print("\(name): \(ContinuousClock.now - start)")
        return result
    }

    /// A machine with a layer, a seed and a volume.
    func spec(_ image: String) async throws -> MachineSpec {
        let state = host.state
        try FileManager.default.createDirectory(atPath: state.generation(id), withIntermediateDirectories: true)
        for name in ["disk.qcow2", "kernel", "initrd"] {
            try FileManager.default.copyItem(atPath: "\(image)/\(name)", toPath: "\(home)/\(name)")
        }
        let base = home + "/disk.qcow2"
        try await host.disks.createLayer(at: state.rootOverlay(id), over: base)
        try host.disks.giveToMachines(state.rootOverlay(id))
        let seed = [
            "meta-data": "instance-id: live-1\nlocal-hostname: web\n", "user-data": "#cloud-config\n{}\n",
        ]
        try await host.seeds.writeSeed(seed.mapValues { Array($0.utf8) }, to: state.seed(id))
        return MachineSpec(
            id: id,
            uuid: UUID(),
            platform: machines.platform,
            size: MachineSize(memory: .mebibytes(256), processors: 1),
            boot: .direct(
                kernel: home + "/kernel",
                initrd: home + "/initrd",
                commandLine: "root=/dev/disk/by-id/virtio-kiln-root rw console=ttyS0 quiet"
            ),
            root: MachineSpec.Disk(path: state.rootOverlay(id), backing: [base]),
            seed: state.seed(id),
            volumes: [],
            network: .open,
            consoleSocket: state.consoleSocket(id),
            consoleLog: state.consoleLog(id),
            agentSocket: state.agentSocket(id),
            ledgerSocket: state.ledgerSocket(id),
            user: machines.user
        )
    }

    /// Leaves nothing behind.
    func end() async {
        try? await machines.powerOff(id)
        try? await machines.undefine(id)
        await host.close()
        HomeAlias(home: home).remove()
        try? FileManager.default.removeItem(atPath: home)
    }
}
