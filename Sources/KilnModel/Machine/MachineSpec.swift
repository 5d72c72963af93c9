import Foundation

/// Everything that a hypervisor needs to know to make one machine.
public struct MachineSpec: Sendable, Hashable, Codable {
    /// How the guest's instructions are executed.
    public enum Acceleration: String, Sendable, Hashable, Codable {
        /// By the processor.
        case kvm
        /// By QEMU's translator; some ten times slower.
        case tcg
    }

    /// How the machine boots.
    public enum Boot: Sendable, Hashable, Codable {
        /// QEMU loads these files.
        case direct(kernel: String, initrd: String?, commandLine: String)
        /// The firmware loads what the root disk carries; `serial` becomes the SMBIOS system serial number, through
        /// which cloud-init finds its instance-id.
        case firmware(ImageManifest.Firmware, serial: String)
    }

    /// A qcow2 file with every file below it, so that QEMU opens nothing that is not listed.
    public struct Disk: Sendable, Hashable, Codable {
        /// The file that the guest writes to.
        public let path: String
        /// The qcow2 files below it, nearest first; the last has no backing file.
        public let backing: [String]

        /// A disk from its chain.
        public init(path: String, backing: [String]) {
            self.path = path
            self.backing = backing
        }
    }

    /// A volume as a disk of the machine.
    public struct Volume: Sendable, Hashable, Codable {
        /// The volume's id, which the guest sees as the disk's serial number (20 characters at most).
        public let id: VolumeID
        /// Its active layer and the sealed ones below.
        public let disk: Disk

        /// A volume's disk.
        public init(id: VolumeID, disk: Disk) {
            self.id = id
            self.disk = disk
        }
    }

    /// A card on a network of the lab, whose frames are datagrams between two unix sockets.
    public struct Card: Sendable, Hashable, Codable {
        /// The network.
        public let network: NetworkID
        /// Its hardware address.
        public let mac: MACAddress
        /// The socket that QEMU binds.
        public let socket: String
        /// The socket that the network's switch binds, now or later.
        public let port: String

        /// A card from its parts.
        public init(network: NetworkID, mac: MACAddress, socket: String, port: String) {
            self.network = network
            self.mac = mac
            self.socket = socket
            self.port = port
        }
    }

    /// What a machine has to do with a template, whose clones go on where it stands.
    ///
    /// Either stands for a machine without seed, volumes and cards, but with a place for each: a clone gets them before it runs.
    public enum Cloning: Sendable, Hashable, Codable {
        /// It is a template: what it has in memory is this file.
        case template(memory: String)
        /// It begins with what is in this file, and keeps to itself what it changes; `isSealed` where the hypervisor does not
        /// even have to be able to write to the file.
        case clone(memory: String, isSealed: Bool)

        /// The file that its memory begins as.
        public var memory: String {
            switch self {
            case .template(let memory), .clone(let memory, _): memory
            }
        }
    }

    /// The user that QEMU runs as where the hypervisor would choose another.
    public struct User: Sendable, Hashable, Codable {
        /// User id.
        public let uid: UInt32
        /// Group id.
        public let gid: UInt32

        /// A user by ids.
        public init(uid: UInt32, gid: UInt32) {
            self.uid = uid
            self.gid = gid
        }
    }

    /// The serial number of the root disk, by which a kernel finds it: a volume's file system may have any label.
    public static let rootSerial = "kiln-root"

    /// Which machine it is.
    public let id: MachineID
    /// The identity that libvirt and the guest's firmware see.
    public let uuid: UUID
    /// What machines of its host are like.
    public var platform: Platform
    /// What it has to compute with.
    public var size: MachineSize
    /// How it boots.
    public var boot: Boot
    /// The throw-away root overlay on its base image.
    public var root: Disk
    /// The NoCloud disk, until the machine has been ready once.
    public var seed: String?
    /// The volumes; empty while the machine is only prepared.
    public var volumes: [Volume]
    /// How many volumes it gets while it runs.
    public var laterVolumes: Int
    /// What of the network it sees.
    public var network: ServerSpec.Network
    /// Its network card.
    public var mac: MACAddress
    /// Its cards on networks of its lab.
    public var cards: [Card]
    /// The unix socket of the serial console (QEMU listens).
    public var consoleSocket: String
    /// The file that takes a copy of all console output.
    public var consoleLog: String
    /// The unix socket of the guest agent (QEMU listens); said, because libvirt would choose a path that is too long.
    public var agentSocket: String
    /// The unix socket of the virtio-serial port `kiln.ledger` (QEMU listens).
    public var ledgerSocket: String
    /// The user that QEMU runs as, where it has to be said.
    public var user: User?
    /// What it has to do with a template; nothing for a machine that boots.
    public var cloning: Cloning?

    /// A machine from its parts.
    public init(
        id: MachineID,
        uuid: UUID,
        platform: Platform,
        size: MachineSize,
        boot: Boot,
        root: Disk,
        seed: String?,
        volumes: [Volume],
        laterVolumes: Int = 0,
        network: ServerSpec.Network,
        cards: [Card] = [],
        consoleSocket: String,
        consoleLog: String,
        agentSocket: String,
        ledgerSocket: String,
        user: User?
    ) {
        self.id = id
        self.uuid = uuid
        self.platform = platform
        self.size = size
        self.boot = boot
        self.root = root
        self.seed = seed
        self.volumes = volumes
        self.laterVolumes = laterVolumes
        self.network = network
        self.mac = MACAddress(of: id)
        self.cards = cards
        self.consoleSocket = consoleSocket
        self.consoleLog = consoleLog
        self.agentSocket = agentSocket
        self.ledgerSocket = ledgerSocket
        self.user = user
    }
}
