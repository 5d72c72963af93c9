import Foundation
import KilnModel
import KilnSystem

/// What one generation was made from; written before its first artefact, never changed.
public struct GenerationRecord: Sendable, Hashable, Codable {
    // First, and so decoded first: what a later version wrote need not have what follows.
    private let format: RecordFormat?
    /// Which machine.
    public let machine: MachineID
    /// The server as the lab file declared it then.
    public let spec: ServerSpec
    /// The image.
    public let image: ServerStatus.Image
    /// How the image boots.
    public let boot: ImageManifest.Boot
    /// What reads the seed in the guest.
    public let cloudInit: ImageManifest.CloudInit
    /// The image's disk and, for a direct boot, kernel and initrd.
    public let files: Files
    private let memory: ByteCount
    private let processors: Int
    private let cpu: ProcessorModel?
    /// The size of its root disk; nothing means that of the image.
    let disk: ByteCount?
    /// The identity that libvirt and the guest's firmware see.
    public let uuid: UUID
    /// cloud-init's instance id: new per generation, the same over reboots.
    public let instanceID: String
    /// The SSH host key that was injected, if the image has an SSH server.
    public let hostKey: String?
    /// When it was made.
    public let created: Date
    /// Its published ports by name; nothing in the record of an older Kiln, whose ports are the lab's.
    let ports: [Name: UInt16]?
    /// The top-level keys of its user-data that its image does not do.
    let undone: [String]?
    /// The digest of its server's configuration; nothing in the record of an older Kiln.
    let configuration: ImageDigest?
    /// The servers whose names on networks it knows; nothing in the record of an older Kiln.
    let peers: [Name]?
    /// How it is to come to run; nothing means that it boots.
    let launch: ServerSpec.Launch?

    /// A record from its parts.
    init(
        machine: MachineID,
        spec: ServerSpec,
        image: ServerStatus.Image,
        boot: ImageManifest.Boot,
        cloudInit: ImageManifest.CloudInit,
        files: Files,
        size: MachineSize,
        disk: ByteCount? = nil,
        uuid: UUID,
        instanceID: String,
        hostKey: String?,
        created: Date,
        ports: [Name: UInt16]?,
        undone: [String]? = nil,
        configuration: ImageDigest? = nil,
        peers: [Name]? = nil,
        launch: ServerSpec.Launch? = nil
    ) {
        self.machine = machine
        self.spec = spec
        self.image = image
        self.boot = boot
        self.cloudInit = cloudInit
        self.files = files
        memory = size.memory
        processors = size.processors
        cpu = size.cpu
        self.disk = disk
        self.uuid = uuid
        self.instanceID = instanceID
        self.hostKey = hostKey
        self.created = created
        self.ports = ports
        self.undone = undone
        self.configuration = configuration
        self.peers = peers
        self.launch = launch
        format = RecordFormat()
    }

    /// What the machine has to compute with.
    public var size: MachineSize { MachineSize(memory: memory, processors: processors, cpu: cpu) }

    /// What tells the kernel to keep the root in memory.
    static let volatileRoot = "kiln.root=volatile"

    /// What tells a guest to stand where clones of it are to go on.
    static let hold = "kiln.hold"

    /// Whether what is written to the root is gone at the next boot: the server asks for it, or the image always does.
    var hasVolatileRoot: Bool {
        if case .direct(let commandLine) = boot,
            commandLine.split(separator: " ").contains(where: { $0 == GenerationRecord.volatileRoot })
        {
            return true
        }
        return spec.root == .volatile
    }

    /// The image's files.
    public struct Files: Sendable, Hashable, Codable {
        /// The sealed disk.
        public let disk: String
        /// The kernel.
        public let kernel: String?
        /// The initial RAM disk.
        public let initrd: String?
    }
}
