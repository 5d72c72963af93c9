import KilnModel

/// How an image is baked: what `Images/NAME/image.yaml` says.
public struct Recipe: Sendable, Hashable {
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

    /// What a root file system is assembled from.
    public struct Assembly: Sendable, Hashable {
        /// Where the files come from.
        public let debian: Debian
        /// The program beside `image.yaml` that turns the tree into a root file system.
        public let program: String
        /// Folders beside the recipe's own that the program uses too.
        public let shared: [String]
        /// The size of the disk.
        public let disk: ByteCount
        /// What the kernel is told.
        public let commandLine: String
    }

    /// Where the disk of an image comes from.
    public enum Source: Sendable, Hashable {
        /// It is made here.
        case assembled(Assembly)
        /// Others publish it, and it is taken as it is.
        case published(Download)
    }

    /// One version of the image.
    public struct Version: Sendable, Hashable {
        /// Its name, unique in the recipe.
        public let name: String
        /// What the assembling program finds in its environment, besides Kiln's own variables.
        public let variables: [String: String]
    }

    /// The folder of `image.yaml`, an absolute path.
    public let folder: String
    /// The image's name, the same as the folder's.
    public let name: Name
    /// One sentence for people.
    public let about: String
    /// Where the disk comes from.
    public let source: Source
    /// What a server has to compute with that says nothing of it.
    public let size: MachineSize
    /// What reads the seed in the guest.
    public let cloudInit: ImageManifest.CloudInit
    /// The modules that its cloud-init runs; nothing means whatever cloud-init has.
    public let cloudInitModules: [String]?
    /// Whether the guest runs an SSH server.
    public let ssh: Bool
    /// Whether the image can keep its root in memory, when the kernel is told `kiln.root=volatile`.
    public let volatileRoot: Bool
    /// Paths that may differ on a running root without being drift.
    public let ephemeral: [String]
    /// The versions, oldest first.
    public let versions: [Version]
}
