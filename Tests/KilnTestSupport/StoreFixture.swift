import Foundation
import KilnModel
import KilnStore

/// A real store with images of crafted disks, in a folder that goes with it.
public struct StoreFixture: Sendable {
    /// Where it lies.
    public let folder: TemporaryDirectory
    /// The store.
    public let store: ImageStore

    /// An empty store.
    public init() throws {
        folder = try TemporaryDirectory()
        store = ImageStore(root: folder.path + "/images")
    }

    /// The store at `root`, which somebody else removes.
    public init(root: String) throws {
        folder = try TemporaryDirectory()
        store = ImageStore(root: root)
    }

    /// Seals an image whose disk differs from others by its `mark`; `paths` becomes its listing.
    @discardableResult
    public func seal(
        _ title: String,
        mark: UInt8,
        from parents: [ImageManifest] = [],
        packages: [ImageManifest.Package] = [],
        paths: String? = nil
    ) throws -> ImageManifest {
        var disk = CraftedDisk()
        disk.bytes[disk.bytes.count - 1] = mark
        // Beside the store, and so in its file system: a draft becomes an image by a rename.
        let place = "\(store.root).drafts/\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        try Data(disk.bytes).write(to: URL(fileURLWithPath: place + "/disk.qcow2"))
        try Data([1]).write(to: URL(fileURLWithPath: place + "/kernel"))
        if let paths { try Data(paths.utf8).write(to: URL(fileURLWithPath: place + "/paths")) }
        let parts = title.split(separator: ":").map(String.init)
        var draft = ImageStore.Draft(
            folder: place,
            name: try Name(parts[0]),
            version: parts[1],
            boot: .direct(commandLine: "quiet"),
            cloudInit: .subset,
            ssh: false,
            size: MachineSize(memory: .mebibytes(256), processors: 1),
            ephemeral: []
        )
        draft.packages = packages
        if !parents.isEmpty {
            draft.origin = ImageOrigin(
                parents: parents.map { ImageOrigin.Parent(name: $0.name, version: $0.version, digest: $0.digest) }
            )
        }
        return try store.seal(draft).manifest
    }

    /// The digest of the suite of an added image, 1, or of the one that asks all, 2, which counts for every image; of any other
    /// number, of none that it has.
    public func suite(_ number: Int) throws -> ImageDigest {
        switch number {
        case 1: try ImageSuite(tests: [], depth: .boot).digest
        case 2: try ImageSuite(tests: [], depth: .full).digest
        default: try StoreFixture.digest(number)
        }
    }

    /// Keeps what the tests of an image found, of the suite with that number.
    public func attest(_ image: ImageDigest, _ outcome: Assertion.Outcome = .passed, suite: Int = 2) throws {
        try store.attest(
            Attestation(
                image: image,
                suite: try self.suite(suite),
                assertions: [
                    Assertion(
                        subject: "service web: running",
                        expected: "running",
                        found: outcome == .failed ? "stopped" : "running",
                        outcome: outcome,
                        place: .booted,
                        seconds: 1
                    )
                ],
                acceleration: "tcg",
                seconds: 2
            )
        )
    }

    /// A digest that a number becomes.
    public static func digest(_ number: Int) throws -> ImageDigest {
        let digits = String(number, radix: 16)
        let padded = String(repeating: "0", count: 64 - digits.count) + digits
        guard let digest = ImageDigest(padded) else { throw KilnError("fake.digest", padded) }
        return digest
    }
}
