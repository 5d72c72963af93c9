import Foundation
import KilnHost
import KilnModel
import KilnStore
import Subprocess

/// A replacement as somebody would write it who has virsh and knows what to do: no journal, no checks, no way back.
///
/// It is the shortest that is honest. The new machine is prepared while the old one serves; then the old one is shut down
/// and the new one is started with its volume. The machines are those of kiln's `stop-first` in what costs time: image,
/// kernel command line, memory, processors, cache modes, user-mode network, agent, volume.
struct Script: Sendable {
    let processor: RawMachine.Processor
    /// A directory of its own, which does not exist yet.
    let directory: String
    let port: UInt16
    let patience: Duration
    private let virsh: Program

    private static let serial = "bench-data"
    private static let shortly = Duration.seconds(60)

    init(
        _ name: String = "script",
        processor: RawMachine.Processor,
        home: PrivateHome,
        port: UInt16,
        patience: Duration
    ) throws {
        self.processor = processor
        self.port = port
        self.patience = patience
        directory = "\(home.path)/\(name)"
        virsh = Program(
            try Program.find("virsh"),
            environment: .inherit.updating(["LIBVIRT_DEFAULT_URI": home.uri]),
            directory: directory
        )
    }

    /// The same, once more where a guest's kernel has crashed.
    func replaceSoundly(_ old: StoredImage, by new: StoredImage, volume size: ByteCount) async throws
        -> ReplacementSample
    {
        do {
            return try await replace(old, by: new, volume: size)
        } catch is ScriptMachine.KernelPanic {
            try await clear(["old", "new"])
            return try await replace(old, by: new, volume: size)
        }
    }

    /// Ends machines and removes what was made for them.
    ///
    /// Not an error: a machine that is off, or was never made.
    func clear(_ machines: [String]) async throws {
        for name in machines {
            for verb in ["destroy", "undefine"] { _ = try? await run(verb, name) }
        }
        try FileManager.default.removeItem(atPath: directory)
    }

    /// Boots a machine of one image, replaces it by one of the other under a client's eyes, ends it.
    private func replace(_ old: StoredImage, by new: StoredImage, volume size: ByteCount) async throws
        -> ReplacementSample
    {
        try await makePlace(volume: size)
        let first = ScriptMachine(name: "old", image: old, script: self)
        let second = ScriptMachine(name: "new", image: new, script: self)
        try await second.writeTexts()
        try await first.writeTexts()
        try await prepare(first)
        try await start(first)
        let client = ServiceClient(port: port)
        defer { _ = client.stop() }
        let generation = try await client.firstAnswer(within: patience, check: first.requireSound)
        try await client.settle()
        let start = ContinuousClock.now
        let phases = try await replace(first, by: second)
        _ = try await client.firstAnswer(within: patience, check: second.requireSound, where: { $0 != generation })
        let wall = ContinuousClock.now - start
        let sample = ReplacementSample(
            wall: wall / .seconds(1),
            seen: try Unavailability(client.stop(), old: generation),
            steps: phases
        )
        _ = try await run("destroy", second.name)
        for machine in [first, second] { _ = try await run("undefine", machine.name) }
        try FileManager.default.removeItem(atPath: directory)
        return sample
    }

    // Milliseconds of each phase.
    private func replace(_ old: ScriptMachine, by new: ScriptMachine) async throws -> [String: Int] {
        var phases: [String: Int] = [:]
        var begin = ContinuousClock.now
        func end(_ phase: String) {
            phases[phase] = Int((ContinuousClock.now - begin) / .milliseconds(1))
            begin = .now
        }
        try await prepare(new)
        end("prepare")
        try await shutDown(old)
        end("stop")
        try await start(new)
        end("start")
        return phases
    }

    /// Shuts a machine down, and waits until it is off.
    func shutDown(_ machine: ScriptMachine) async throws {
        _ = try await run("shutdown", machine.name)
        let deadline = ContinuousClock.now + patience
        while try await run("domstate", machine.name).trimmingCharacters(in: .whitespacesAndNewlines) != "shut off" {
            guard ContinuousClock.now < deadline else { throw Failure("the script's old machine did not shut down") }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Makes the overlay, the seed and the domain of a machine whose texts are written.
    func prepare(_ machine: ScriptMachine) async throws {
        _ = try await program("qemu-img").run(
            ["create", "-q", "-f", "qcow2", "-b", machine.image.disk, "-F", "qcow2", machine.root],
            within: Script.shortly
        )
        _ = try await program("xorriso").run(
            ["-as", "mkisofs", "-quiet", "-V", "CIDATA", "-J", "-r", "-o", machine.seed, machine.tree],
            within: Script.shortly
        )
        let owner = try MachineOwner.current()
        for file in [machine.root, machine.seed] { try owner.give(file) }
        _ = try await run("define", machine.document)
    }

    /// Starts a machine, and publishes its web server.
    func start(_ machine: ScriptMachine) async throws {
        _ = try await run("start", machine.name)
        let forward = "hostfwd_add hostnet0 tcp:127.0.0.1:\(port)-:80"
        let answer = try await run("qemu-monitor-command", machine.name, "--hmp", forward)
        guard answer.allSatisfy(\.isWhitespace) else { throw Failure("QEMU refused the script's forward: \(answer)") }
    }

    private func run(_ arguments: String...) async throws -> String {
        try await virsh.run(["--quiet"] + arguments, within: Script.shortly).output
    }

    private func program(_ name: String) throws -> Program { Program(try Program.find(name), directory: directory) }

    /// Makes the directory and the volume.
    func makePlace(volume size: ByteCount) async throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try MachineOwner.current().give(directory)
        try await makeVolume(size)
    }

    // Formatted once by the host, as kiln does: left to the guest, the initialisation would keep it busy while it is measured.
    private func makeVolume(_ size: ByteCount) async throws {
        let raw = directory + "/data.raw"
        let extended = "root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0"
        _ = try await program("mkfs.ext4").run(
            ["-q", "-F", "-E", extended, raw, "\(size.bytes >> 10)k"],
            within: Script.shortly
        )
        let convert = ["convert", "-f", "raw", "-O", "qcow2", raw, volume]
        _ = try await program("qemu-img").run(convert, within: Script.shortly)
        try MachineOwner.current().give(volume)
        try FileManager.default.removeItem(atPath: raw)
    }

    var volume: String { directory + "/data.qcow2" }

    /// What cloud-init mounts; the serial number names the disk, as kiln does.
    var mount: [String] {
        ["/dev/disk/by-id/virtio-\(Script.serial)", "/data", "ext4", "defaults,nofail", "0", "0"]
    }

    var volumeSerial: String { Script.serial }
}
