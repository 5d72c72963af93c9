import Foundation
import KilnEngine
import KilnModel
import KilnStore
import KilnSystem
import Synchronization

/// Seeds as JSON files; their content is kept for tests to look at.
public final class FakeSeeds: SeedWriter {
    private let faults: Faults
    private let written = Mutex<[String: [String: String]]>([:])

    init(_ faults: Faults) { self.faults = faults }

    /// What was written to a seed, by the path of the disk.
    public func files(_ path: String) -> [String: String]? { written.withLock { $0[path] } }

    /// Writes the files as one JSON document.
    public func writeSeed(_ files: [String: [UInt8]], to path: String) async throws {
        try faults.call("writeSeed") {
            let files = files.mapValues { String(decoding: $0, as: UTF8.self) }
            try JSONEncoder().encode(files).write(to: URL(fileURLWithPath: path))
            guard chmod(path, 0o600) == 0 else { throw KilnError("seed.failed", "chmod \(path)") }
            written.withLock { $0[path] = files }
        }
    }

    /// Texts that can be recognised.
    public func makeHostKey(comment: String) async throws -> SSHKeyPair {
        try faults.call("makeHostKey") {
            // Base64, as that of OpenSSH is, and another one for each machine.
            let key = "HOST\(Data(comment.utf8).base64EncodedString())"
            return SSHKeyPair(privateKey: "PRIVATE HOST KEY OF \(comment)", publicKey: "ssh-ed25519 \(key) \(comment)")
        }
    }

    /// A text that can be recognised.
    public func userPublicKey() async throws -> String {
        try faults.call("userPublicKey") { "ssh-ed25519 USER" }
    }
}

/// Images that tests add.
public final class FakeImages: ImageSource {
    private let faults: Faults
    private let directory: String
    private let hypervisor: FakeHypervisor
    private let images = Mutex<[StoredImage]>([])
    private let said = Mutex((attested: Set<String>(), revoked: Set<String>(), channels: [Name: String]()))
    private let passes = Mutex<[ConfigurationPass]>([])

    init(_ faults: Faults, _ hypervisor: FakeHypervisor, directory: String) {
        self.faults = faults
        self.hypervisor = hypervisor
        self.directory = directory
    }

    /// Adds the image `tiny` in a version whose guests behave in the given way.
    @discardableResult
    public func add(
        _ version: String,
        _ behaviour: GuestBehaviour = GuestBehaviour(),
        cloudInit: ImageManifest.CloudInit = .subset,
        commandLine: String = "console=ttyS0",
        firmware: ImageManifest.Firmware? = nil,
        flash: Bool = false
    ) throws -> StoredImage {
        let path = disk(version)
        try FakeDisks.makeImage(path, "tiny \(version)")
        let digits = String(StableHash.fnv1a(version), radix: 16)
        let padded = String(repeating: "0", count: 64 - digits.count) + digits
        guard let digest = ImageDigest(padded) else { throw KilnError("fake.digest", padded) }
        let manifest = ImageManifest(
            name: try Name("tiny"),
            version: version,
            digest: digest,
            virtualSize: .mebibytes(64),
            boot: firmware.map { .firmware($0) } ?? .direct(commandLine: commandLine),
            cloudInit: cloudInit,
            ssh: true,
            volatileRoot: version != "1",
            flash: flash ? true : nil,
            size: MachineSize(memory: .mebibytes(128), processors: 1)
        )
        let kernel = firmware == nil ? "\(directory)/kernel" : nil
        let image = StoredImage(manifest: manifest, disk: path, kernel: kernel, initrd: nil)
        images.withLock { $0.append(image) }
        hypervisor.setBehaviour(behaviour, ofImage: path)
        return image
    }

    /// The disk of a version.
    public func disk(_ version: String) -> String { "\(directory)/tiny-\(version).qcow2" }

    /// Gives a version a listing of an empty root, written to `path`.
    public func list(_ version: String, _ path: String) throws {
        let root = RootEntry(kind: .directory, mode: 0o755, user: 0, group: 0)
        let lines = [RootListing.header, root.line(.root), RootListing.footer(1), ""]
        try Data(lines.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: path))
        images.withLock { images in
            images = images.map { image in
                guard image.manifest.version == version else { return image }
                return StoredImage(
                    manifest: image.manifest,
                    disk: image.disk,
                    kernel: image.kernel,
                    initrd: image.initrd,
                    paths: path
                )
            }
        }
    }

    /// Lets a version have passed its tests, or takes that back.
    public func attest(_ version: String, _ isAttested: Bool = true) {
        said.withLock { said in
            if isAttested { said.attested.insert(version) } else { said.attested.remove(version) }
        }
    }

    /// Revokes a version, or takes that back.
    public func revoke(_ version: String, _ isRevoked: Bool = true) {
        said.withLock { said in
            if isRevoked { said.revoked.insert(version) } else { said.revoked.remove(version) }
        }
    }

    private let ways = Mutex<[ImageDigest: GuestWay]>([:])

    /// What was noted.
    public func way(into image: ImageDigest) throws -> GuestWay? {
        ways.withLock { $0[image] }
    }

    /// Notes it.
    public func note(_ way: GuestWay, into image: ImageDigest) throws {
        ways.withLock { $0[image] = way }
    }

    /// Points a channel to a version.
    public func point(_ channel: Name, to version: String) { said.withLock { $0.channels[channel] = version } }

    /// The image that the reference names; the latest is the one that was added last.
    public func verifiedImage(_ reference: ImageReference, for purpose: ImagePurpose) async throws -> StoredImage {
        try faults.call("verifiedImage") { try image(reference, for: purpose) }
    }

    /// The same, its content not looked at.
    public func usable(_ reference: ImageReference, _ policy: ImagePolicy) throws -> StoredImage {
        try image(reference, for: .newGeneration(policy))
    }

    /// What tests said of it.
    public func judgement(on image: ImageDigest) throws -> ImageJudgement {
        let version = images.withLock { $0.last { $0.manifest.digest == image }?.manifest.version } ?? ""
        let said = said.withLock { $0 }
        return ImageJudgement(
            verdict: said.attested.contains(version) ? .passed : .untested,
            revoked: said.revoked.contains(version) ? "it was revoked" : nil
        )
    }

    /// What was noted of a configuration.
    public func verdict(on configuration: ImageDigest, with image: ImageDigest) throws -> ConfigurationVerdict {
        let passes = passes.withLock { $0 }.filter { $0.configuration == configuration }
        if passes.contains(where: { $0.image == image }) { return .passed }
        return passes.isEmpty ? .untested : .elsewhere
    }

    /// Notes that a configuration passed.
    public func attest(_ pass: ConfigurationPass) throws { passes.withLock { $0.append(pass) } }

    /// Every pass of a configuration that was noted, in order.
    public var notedPasses: [ConfigurationPass] { passes.withLock { $0 } }

    private func image(_ reference: ImageReference, for purpose: ImagePurpose) throws -> StoredImage {
        let said = said.withLock { $0 }
        let found = images.withLock { images in
            images.last { image in
                guard image.manifest.name == reference.name else { return false }
                return switch reference.selector {
                case .latest: true
                case .version(let version): image.manifest.version == version
                case .channel(let channel): image.manifest.version == said.channels[channel]
                case .digest(let digest): image.manifest.digest == digest
                }
            }
        }
        guard let found else { throw KilnError(.imageMissing, "no image \(reference)", exit: .aborted) }
        guard case .newGeneration(let policy) = purpose else { return found }
        let version = found.manifest.version
        if said.revoked.contains(version) { throw KilnError(.imageRevoked, "\(reference)", exit: .aborted) }
        if policy == .attested, !said.attested.contains(version) {
            throw KilnError(.imageNotAttested, "\(reference)", exit: .aborted)
        }
        return found
    }
}

/// Who holds a file: the fake hypervisor's machines, and what a test says.
public final class FakeHolders: HolderInspection {
    private let hypervisor: FakeHypervisor
    private let foreign = Mutex<[String: FileHolder]>([:])

    init(_ hypervisor: FakeHypervisor) { self.hypervisor = hypervisor }

    /// Lets a process outside hold a file; nothing lets it go.
    public func hold(_ path: String, by holder: FileHolder?) { foreign.withLock { $0[path] = holder } }

    /// The process of a machine: another one for every server and generation.
    static func pid(of machine: MachineID) -> Int32 {
        40_000 + Int32(StableHash.fnv1a(machine.member.description) % 1000) * 1000
            + Int32(machine.generation.number % 1000)
    }

    /// The processes that have the file open.
    public func holders(of path: String) throws -> [FileHolder] {
        let machines = hypervisor.holders(of: path).map {
            FileHolder(pid: FakeHolders.pid(of: $0), name: "qemu-system-x86")
        }
        return machines + (foreign.withLock { $0[path] }.map { [$0] } ?? [])
    }

    /// Whether nothing holds it.
    public func isLockObtainable(_ path: String) throws -> Bool { try holders(of: path).isEmpty }
}

/// Answers for the fake hypervisor's machines on their published ports.
public final class FakeNetwork: NetworkProbe {
    private let hypervisor: FakeHypervisor
    private let fronts: FakeFronts

    init(_ hypervisor: FakeHypervisor, _ fronts: FakeFronts) { (self.hypervisor, self.fronts) = (hypervisor, fronts) }

    /// Holds where a ready machine publishes the port.
    public func http(_ probe: HTTPProbe, on port: UInt16, within limit: Duration) async -> ProbeFinding {
        answer(port)
    }

    /// Answers with status 200 and the generation where a ready machine publishes the port.
    public func exchange(
        _ request: HTTPProbe,
        on port: UInt16,
        over connection: ConnectionUse,
        within limit: Duration
    ) async -> Result<HTTPAnswer, NoAnswer> {
        guard answer(port) == .holds, let machine = machine(port) else {
            return .failure(NoAnswer("Connection refused", kind: .refused))
        }
        return .success(HTTPAnswer(status: 200, headers: ["x-generation": "\(machine.generation)"]))
    }

    /// Holds where a ready machine publishes the port.
    public func tcp(port: UInt16, send: String?, expect: String, within limit: Duration) async -> ProbeFinding {
        answer(port)
    }

    private func answer(_ port: UInt16) -> ProbeFinding {
        guard let machine = machine(port), hypervisor.behaviour(machine)?.boot == .ready else {
            return .notYet("no answer on port \(port)")
        }
        return .holds
    }

    // Also by a front.
    private func machine(_ port: UInt16) -> MachineID? { hypervisor.running(onPort: fronts.target(of: port) ?? port) }
}

/// A host with a hundred ports.
public final class FakePorts: HostPorts {
    /// The kernel's default.
    public let lowest: UInt16 = 1024
    /// The ports to choose from.
    public let choice: ClosedRange<UInt16> = 20000...20099
    private let state = Mutex((taken: Set<UInt16>(), reserved: [[UInt16]]()))

    init() {}

    /// Lets another process listen on a port.
    public func take(_ port: UInt16) { state.withLock { _ = $0.taken.insert(port) } }

    /// Lets nobody listen on a port any more.
    public func free(_ port: UInt16) { state.withLock { _ = $0.taken.remove(port) } }

    /// How many reservations have not been released.
    public var reservations: Int { state.withLock { $0.reserved.count } }

    /// The ports that they keep.
    public var reserved: Set<UInt16> { state.withLock { Set($0.reserved.joined()) } }

    /// Whether nobody listens.
    public func isFree(_ port: UInt16, _ transport: Transport) -> Bool { state.withLock { !$0.taken.contains(port) } }

    /// Counts until it is released.
    public func reserve(_ ports: [UInt16]) throws -> any PortReservation {
        state.withLock { $0.reserved.append(ports) }
        return Reservation(self, ports)
    }

    private final class Reservation: PortReservation {
        private let ports: FakePorts
        private let numbers: [UInt16]
        private let isReleased = Mutex(false)
        init(_ ports: FakePorts, _ numbers: [UInt16]) { (self.ports, self.numbers) = (ports, numbers) }

        func release() {
            let isFirst = isReleased.withLock { released in
                defer { released = true }
                return !released
            }
            guard isFirst else { return }
            ports.state.withLock { state in
                if let place = state.reserved.firstIndex(of: numbers) { state.reserved.remove(at: place) }
            }
        }
    }
}
