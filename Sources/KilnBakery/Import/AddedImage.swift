import KilnModel

/// What a user says of an image made elsewhere.
public struct AddedImage: Sendable, Hashable {
    /// How it boots, with the files that a direct boot needs.
    public enum Boot: Sendable, Hashable {
        /// The disk has its own boot loader; nothing has the firmware found by looking.
        case firmware(ImageManifest.Firmware?)
        /// QEMU loads a kernel and, where there is one, an initrd; both are copied into the store.
        case direct(kernel: String, initrd: String?, commandLine: String)
    }

    /// The name it gets.
    public var name: Name
    /// The version it gets.
    public var version: String
    /// How it boots.
    public var boot: Boot
    /// What reads the seed in the guest.
    public var cloudInit: ImageManifest.CloudInit = .full
    /// The modules that its cloud-init runs; nothing means whatever cloud-init has.
    public var cloudInitModules: [String]?
    /// Whether the guest runs an SSH server.
    public var ssh = true
    /// What a server has to compute with that says nothing of it.
    public var size = MachineSize(memory: .mebibytes(1024), processors: 2)
    /// Paths that may differ on a running root without being drift.
    public var ephemeral = [
        "/dev", "/proc", "/run", "/sys", "/tmp", "/var/cache", "/var/lib/cloud", "/var/log", "/var/tmp",
    ]
    /// sha256 over the content of the recipe that says all this; nothing where a user does.
    var recipe: ImageDigest?

    /// An image of that name and version; the other properties have usual values.
    public init(name: Name, version: String, boot: Boot) {
        self.name = name
        self.version = version
        self.boot = boot
    }
}
