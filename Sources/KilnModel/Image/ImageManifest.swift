/// What the store knows of a sealed image; kept beside it as `manifest.json`.
public struct ImageManifest: Sendable, Hashable, Codable {
    /// How a machine is booted from the image.
    public enum Boot: Sendable, Hashable, Codable {
        /// QEMU loads kernel and initrd, which lie beside the disk in the store.
        ///
        /// - `commandLine`: what the kernel is told, without the parts that differ per generation.
        case direct(commandLine: String)
        /// The disk carries its own boot loader.
        case firmware(Firmware)
    }

    /// The firmware that starts a disk with its own boot loader.
    public enum Firmware: String, Sendable, Hashable, Codable {
        /// SeaBIOS, QEMU's default.
        case bios
        /// UEFI, from Debian's `ovmf` package.
        case uefi
    }

    /// What wrote the guest's first-boot configuration: Debian's cloud-init, or the subset that `tiny` reads.
    public enum CloudInit: String, Sendable, Hashable, Codable, CaseIterable {
        /// Canonical's cloud-init.
        case full
        /// The part of it that the image documents.
        case subset
        /// None: the image takes no metadata.
        case none
    }

    /// A Debian package in the image.
    public struct Package: Sendable, Hashable, Codable {
        /// Its name.
        public let name: String
        /// Its version.
        public let version: String
        /// What it was built for, such as `amd64`; nothing in a manifest of an older Kiln.
        public let architecture: String?
        /// The source package that it was built from; nothing as above.
        public let source: String?
        /// The version of that; nothing as above.
        public let sourceVersion: String?

        /// A package from its parts.
        public init(
            name: String,
            version: String,
            architecture: String? = nil,
            source: String? = nil,
            sourceVersion: String? = nil
        ) {
            self.name = name
            self.version = version
            self.architecture = architecture
            self.source = source
            self.sourceVersion = sourceVersion
        }
    }

    /// The image's name.
    public package(set) var name: Name
    /// Its version, unique within the name.
    public package(set) var version: String
    /// The sha256 of the disk, which names the image.
    public let digest: ImageDigest
    /// The image it was made from, if any.
    public let parent: ImageDigest?
    /// The size of the disk as a guest sees it.
    public let virtualSize: ByteCount
    /// How to boot it.
    public let boot: Boot
    /// All firmware that was found to start its disk, where it was looked for.
    public let firmware: [Firmware]?
    /// The sha256 of the other files that boot it, by file name (`kernel`, `initrd`), and of the list of its paths (`paths`).
    public package(set) var files: [String: ImageDigest]
    /// What reads the seed in the guest.
    public let cloudInit: CloudInit
    /// The modules that its cloud-init runs; nothing means whatever cloud-init has.
    public let cloudInitModules: [String]?
    /// Whether the guest runs an SSH server.
    public let ssh: Bool
    /// Whether it can keep its root in memory, when the kernel is told `kiln.root=volatile`; nothing means that it can't.
    public let volatileRoot: Bool?
    /// Whether its boot can be held before its cloud-init, when the kernel is told `kiln.hold`, so that clones can be made of it;
    /// nothing means that it can't.
    public let flash: Bool?
    private let memory: ByteCount
    private let processors: Int
    private let cpu: ProcessorModel?
    /// Paths that may differ on a running root without being drift.
    public let ephemeral: [String]
    /// The Debian packages in it, by name.
    public let packages: [Package]
    /// What its recipe and those of its parents expect of it; nothing for an image of an older Kiln, or one that was added.
    public package(set) var tests: [Check]?
    /// sha256 over the recipe's content, or nothing for an image that was added from a file.
    public let recipe: ImageDigest?
    /// What it was made from, and how; nothing for an image that was added from a file, or baked by an older Kiln.
    public let origin: ImageOrigin?

    /// A manifest from its parts.
    public init(
        name: Name,
        version: String,
        digest: ImageDigest,
        parent: ImageDigest? = nil,
        virtualSize: ByteCount,
        boot: Boot,
        firmware: [Firmware]? = nil,
        files: [String: ImageDigest] = [:],
        cloudInit: CloudInit,
        cloudInitModules: [String]? = nil,
        ssh: Bool,
        volatileRoot: Bool? = nil,
        flash: Bool? = nil,
        size: MachineSize,
        ephemeral: [String] = [],
        packages: [Package] = [],
        tests: [Check]? = nil,
        recipe: ImageDigest? = nil,
        origin: ImageOrigin? = nil
    ) {
        self.name = name
        self.version = version
        self.digest = digest
        self.parent = parent
        self.virtualSize = virtualSize
        self.boot = boot
        self.firmware = firmware
        self.files = files
        self.cloudInit = cloudInit
        self.cloudInitModules = cloudInitModules
        self.ssh = ssh
        self.volatileRoot = volatileRoot
        self.flash = flash
        memory = size.memory
        processors = size.processors
        cpu = size.cpu
        self.ephemeral = ephemeral
        self.packages = packages
        self.tests = tests
        self.recipe = recipe
        self.origin = origin
    }
}

extension ImageManifest {
    /// What a server has to compute with that says nothing of it.
    public var size: MachineSize { MachineSize(memory: memory, processors: processors, cpu: cpu) }

    /// The digests of the images that it says it descends from, the nearest first, then those of which it took files.
    public var ancestors: [ImageDigest] {
        let chain = origin?.parents.map(\.digest) ?? []
        let taken = self.taken.filter { !chain.contains($0) }
        return (chain.isEmpty ? [parent].compactMap(\.self) : chain) + taken
    }

    /// The digests of the images of which it took files.
    public var taken: [ImageDigest] { origin?.taken?.map(\.digest) ?? [] }

    /// `NAME:VERSION`.
    public var title: String { "\(name):\(version)" }
}

/// A sealed image that was found in the store, with the paths of its files.
public struct StoredImage: Sendable, Hashable {
    /// What is known of it.
    public let manifest: ImageManifest
    /// The qcow2 file, mode 0444.
    public let disk: String
    /// The kernel, for a direct boot.
    public let kernel: String?
    /// The initial RAM disk, for a direct boot.
    public let initrd: String?
    /// The listing of its root file system, which drift is measured against; nothing where it was not listed.
    public let paths: String?

    /// A stored image from its parts.
    public init(
        manifest: ImageManifest,
        disk: String,
        kernel: String?,
        initrd: String?,
        paths: String? = nil
    ) {
        self.manifest = manifest
        self.disk = disk
        self.kernel = kernel
        self.initrd = initrd
        self.paths = paths
    }
}
