public import Foundation
public import KilnModel

/// What a libvirt domain document says about a machine, running or not.
public struct LiveDomain: Sendable, Hashable {
    /// A disk of the domain.
    public struct Disk: Sendable, Hashable {
        /// libvirt's name for it, such as `vda`.
        public let target: String
        /// The alias; libvirt gives one to every disk of a running domain.
        public let alias: String?
        /// The file, or nothing for a disk that is no file or has no medium.
        public let path: String?
        /// The files below, nearest first; of a domain that was started with less than the whole chain, what libvirt
        /// found by itself.
        public let backing: [String]
        /// The serial number that the guest sees.
        public let serial: String?
        /// Whether the guest can only read it.
        public let isReadOnly: Bool
    }

    /// A virtio-serial port with the unix socket behind it.
    public struct Channel: Sendable, Hashable {
        /// The name of the port in the guest.
        public let port: String
        /// The socket on the host; nothing for a domain that is off and lets libvirt choose.
        public let socket: String?
        /// Whether a process of the guest has the port open; nothing where libvirt doesn't say, as for a domain that
        /// is off.
        public let isConnected: Bool?
    }

    /// A network card.
    public struct Interface: Sendable, Hashable {
        /// The hardware address, in lower case.
        public let mac: String
        /// The alias; libvirt gives one to every card of a running domain.
        public let alias: String?
    }

    /// The name of the domain.
    public let name: String
    /// Its UUID.
    public let uuid: UUID
    /// The machine that it is, or nothing for a domain that Kiln didn't make.
    public let machine: MachineID?
    /// Its disks in the document's order.
    public let disks: [Disk]
    /// Its virtio-serial ports that have a unix socket.
    public let channels: [Channel]
    /// The unix socket of the first serial port.
    public let consoleSocket: String?
    /// The file that takes a copy of all output of the first serial port.
    public let consoleLog: String?
    /// Its network cards, also those that were passed to QEMU behind libvirt's back.
    public let interfaces: [Interface]
    /// The kernel of a direct boot.
    public let kernel: String?
    /// The initial RAM disk of a direct boot.
    public let initrd: String?
    /// Whether it has variables of a firmware of its own, which UEFI needs.
    public let hasFirmwareVariables: Bool

    /// Reads a domain document.
    ///
    /// Elements that are not needed are not looked at, so a document of a later libvirt is read as well.
    ///
    /// - Throws: `XMLError` of kind `malformed` or `tooLarge` for a text that is no acceptable XML, `unexpected` for a
    ///   document without a domain's name and UUID. Metadata that is not ours, or damaged, is no error.
    public init(xml: String) throws(XMLError) {
        let domain = try XMLElement.parsed(xml)
        guard domain.name == "domain", let name = domain.child("name")?.text else {
            throw XMLError(.unexpected, "expected a domain with a name, found <\(domain.name)>")
        }
        guard let uuid = domain.child("uuid").flatMap({ UUID(uuidString: $0.text) }) else {
            throw XMLError(.unexpected, "the domain \(Name.quoted(name)) has no valid UUID")
        }
        let devices = domain.child("devices") ?? XMLElement("devices")
        let serial = devices.all("serial").first { $0["type"] == "unix" }
        self.name = name
        self.uuid = uuid
        machine = LiveDomain.machine(in: domain)
        disks = devices.all("disk").compactMap(Disk.init)
        channels = devices.all("channel").compactMap(Channel.init)
        consoleSocket = serial?.child("source")?["path"]
        consoleLog = serial?.child("log")?["file"]
        interfaces = devices.all("interface").compactMap(Interface.init) + LiveDomain.passedInterfaces(in: domain)
        kernel = domain.child("os")?.child("kernel")?.text
        initrd = domain.child("os")?.child("initrd")?.text
        hasFirmwareVariables = domain.child("os").map { $0["firmware"] == "efi" || $0.child("nvram") != nil } ?? false
    }

    /// The socket of the guest agent.
    public var agent: Channel? { channels.first { $0.port == DomainDocument.agentPort } }

    /// The socket of the ledger.
    public var ledger: Channel? { channels.first { $0.port == DomainDocument.ledgerPort } }
}
