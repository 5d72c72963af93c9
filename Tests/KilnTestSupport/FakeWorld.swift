import Foundation
import KilnEngine
import KilnModel
import KilnSystem
import Synchronization
import Testing

/// An engine on fakes, in a temporary directory that goes with it.
public final class FakeWorld: Sendable {
    /// The directory of everything.
    public let root: String
    /// Where the engine keeps its state.
    public let state: StateDirectory
    /// What goes wrong.
    public let faults = Faults()
    /// Machines.
    public let hypervisor: FakeHypervisor
    /// The inside of guests.
    public let guests: FakeGuests
    /// Disk files.
    public let disks: FakeDisks
    /// Seed disks.
    public let seeds: FakeSeeds
    /// Images.
    public let images: FakeImages
    /// Roots, from outside.
    public let roots: FakeRoots
    /// Who holds which file.
    public let holders: FakeHolders
    /// Published ports, from the host's side.
    public let ports = FakePorts()
    /// The switches of networks.
    public let networks: FakeNetworks
    /// What owns published ports whose clients are kept.
    public let fronts: FakeFronts
    /// External services of runs.
    public let externals: FakeExternals
    private let bug: Bug?
    private let told = Mutex<[KilnEngine.Progress]>([])
    private let memory = Mutex<ByteCount?>(nil)

    /// An empty world, with a mistake in it where one is planted.
    public init(plant bug: Bug? = nil) throws {
        self.bug = bug
        // A simulated death keeps what the kernel was given, so memory does as well as a disk, and fsync is free there.
        let memory = "/dev/shm"
        let parent =
            FileManager.default.isWritableFile(atPath: memory) ? memory : FileManager.default.temporaryDirectory.path
        root = parent + "/kiln-world-\(UUID().uuidString)"
        state = StateDirectory(root: root + "/state", sockets: root + "/state/sockets")
        for directory in [root + "/images", state.root] {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        }
        hypervisor = FakeHypervisor(faults)
        guests = FakeGuests(faults, hypervisor)
        disks = FakeDisks(faults)
        seeds = FakeSeeds(faults)
        images = FakeImages(faults, hypervisor, directory: root + "/images")
        roots = FakeRoots(faults)
        holders = FakeHolders(hypervisor)
        networks = FakeNetworks(faults)
        fronts = FakeFronts(faults)
        externals = FakeExternals(faults, state)
        let (live, dead) = (state.root, snapshot)
        faults.onCrash { Self.keep(live, as: dead) }
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    /// An engine on this world, as a new process would make it.
    public var engine: LabEngine { LabEngine(state: state, parts: parts()) }

    /// What an engine on this world works with; its progress goes to `observer` too.
    public func parts(_ observer: @escaping ProgressSink = { _ in }) -> EngineParts {
        EngineParts(
            machines: bug == .handoverBeforeProof ? HastyMachines(hypervisor) : hypervisor,
            guests: guests,
            disks: disks,
            seeds: seeds,
            images: images,
            roots: roots,
            holders: bug == .handoverBeforeProof ? BlindHolders() : holders,
            network: FakeNetwork(hypervisor, fronts),
            ports: ports,
            networks: networks,
            fronts: fronts,
            externals: externals,
            freeMemory: { [weak self] in self?.memory.withLock { $0 } ?? HostMemory.available() },
            progress: { [weak self] in
                observer($0)
                self?.tell($0)
            },
            releaseWithin: .milliseconds(20),
            agentGrace: .milliseconds(20)
        )
    }

    /// Lets the host have so much memory free from now on; before that it has what there is.
    public func haveMemory(_ size: ByteCount) { memory.withLock { $0 = size } }

    /// What was told so far.
    public var progress: [KilnEngine.Progress] { told.withLock { $0 } }

    /// Lets the next process find the state as the one that died left it.
    public func reviveAfterCrash() throws {
        guard FileManager.default.fileExists(atPath: snapshot) else { return }
        try FileManager.default.removeItem(atPath: state.root)
        try FileManager.default.moveItem(atPath: snapshot, toPath: state.root)
    }

    /// What was written to a volume, oldest first, read through the layers that its record names.
    public func written(lab: Name, volume: Name) throws -> [String] {
        guard let record = try engine.volumes.record(lab: lab, volume), let active = record.layers.last else {
            return []
        }
        return try FakeDisks.written("\(state.volume(lab: lab, volume))/\(active)")
    }

    // A file that somebody replaces meanwhile is in the way of a copy; then once more.
    private static func keep(_ live: String, as dead: String) {
        for _ in 0..<100 {
            try? FileManager.default.removeItem(atPath: dead)
            if (try? FileManager.default.copyItem(atPath: live, toPath: dead)) != nil { return }
        }
        Issue.record("the state at the moment of death could not be kept")
    }

    private var snapshot: String { root + "/state-at-death" }

    private func tell(_ progress: KilnEngine.Progress) {
        told.withLock { $0.append(progress) }
        switch progress {
        case .waiting: faults.setProbing(true)
        case .began(_, _, let step):
            faults.setProbing(false)
            faults.moment("began \(step.rawValue)")
        case .finished(_, _, let step, _):
            faults.setProbing(false)
            faults.moment("finished \(step.rawValue)")
        case .turnedBack:
            faults.setProbing(false)
            faults.moment("turned back")
        case .plan, .note: break
        }
    }
}
