import KilnModel

/// How an image is baked: what `Images/NAME/image.yaml` says.
public struct Recipe: Sendable {
    /// What a tree begins as.
    public enum Base: Sendable, Hashable {
        /// A Debian of mmdebstrap's.
        case debian(Debian)
        /// The tree of another image.
        case image(ImageReference)
        /// A disk that others publish, which is taken as it is, or a machine of it.
        case download(Download)
    }

    /// What mmdebstrap makes the tree from.
    public struct Debian: Sendable, Hashable {
        /// The suite's code name, such as `trixie`.
        public let suite: String
        /// mmdebstrap's variant, such as `minbase` or `extract`.
        public let variant: String
        /// The packages besides those of the variant.
        public let packages: [String]
        /// Mirrors' URLs, or lines of a `sources.list`; none where the environment or the host's own apt says.
        public let mirrors: [String]
        /// Absolute paths of the keyrings that the mirrors' signatures are checked with.
        public let keyrings: [String]
    }

    /// Where the steps are done.
    enum Room: String, Sendable, Hashable, CaseIterable {
        /// In a tree, of which a disk is made then.
        case chroot
        /// In a machine of the image that it begins as, whose disk becomes the image.
        case booted
    }

    /// How the image boots and what its machines are like; what is not said is the parent's.
    struct Settings: Sendable, Hashable {
        /// The size of the disk.
        var disk: ByteCount?
        /// What the kernel is told.
        var commandLine: String?
        /// What a server has to compute with that says nothing of it.
        var memory: ByteCount?
        var processors: Int?
        var cpu: ProcessorModel?
        /// What reads the seed in the guest.
        var cloudInit: ImageManifest.CloudInit?
        /// The modules that its cloud-init runs; nothing means whatever cloud-init has.
        var cloudInitModules: [String]?
        /// Whether the guest runs an SSH server.
        var ssh: Bool?
        /// Whether the image can keep its root in memory, when the kernel is told `kiln.root=volatile`.
        var volatileRoot: Bool?
        /// Whether its boot can be held before its cloud-init, when the kernel is told `kiln.hold`.
        var flash: Bool?
        /// Paths that may differ on a running root without being drift, besides those of the parent.
        var ephemeral: [String] = []
    }

    /// One version of the image.
    public struct Version: Sendable {
        /// Its name, unique in the recipe.
        public let name: String
        /// What it begins as, where that is not what the recipe says.
        let from: ImageReference?
        /// What programs find in their environment, besides Kiln's own variables.
        public let variables: [String: String]
        /// What is done to its tree alone, before what is done to that of each version.
        var provisioners: [any Provisioner] = []
    }

    /// The folder of `image.yaml`, an absolute path.
    public let folder: String
    /// The image's name, the same as the folder's.
    public let name: Name
    /// One sentence for people.
    public let about: String
    /// Where the files come from.
    public let base: Base
    /// The day whose packages count, as `2026-11-01`; nothing for what the mirrors have.
    let snapshot: SnapshotDate?
    /// Where that is done.
    let room: Room
    /// What is done to the tree of each version, in order.
    let provisioners: [any Provisioner]
    /// What is expected of the image.
    let tests: [Check]
    /// Whether what is expected of its parent is expected of it, too.
    let inheritsTests: Bool
    /// How it boots.
    let settings: Settings
    /// The versions, oldest first.
    public let versions: [Version]
}

extension Recipe {
    /// The disk that others publish, where it is one.
    var download: Download? {
        guard case .download(let download) = base else { return nil }
        return download
    }

    /// What a version begins as.
    func base(of version: Version) -> Base { version.from.map { .image($0) } ?? base }

    /// What is done to a version's tree, in order.
    func provisioners(of version: Version) -> [any Provisioner] { version.provisioners + provisioners }
}
