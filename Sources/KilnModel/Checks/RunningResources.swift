/// What is expected of a unit of systemd.
public struct ServiceResource: Sendable, Hashable, Codable {
    /// The unit's name; `.service` may be left out.
    public let name: String
    /// Whether it is started at boot, or by what needs it.
    public var enabled: Bool?
    /// Whether it runs.
    public var running: Bool?

    /// A unit from its parts.
    public init(name: String, enabled: Bool? = nil, running: Bool? = nil) {
        self.name = name
        self.enabled = enabled
        self.running = running
    }
}

/// A port on which something in the guest has to listen.
public struct PortResource: Sendable, Hashable, Codable {
    /// The protocols.
    public enum Transport: String, Sendable, Hashable, Codable, CaseIterable {
        /// TCP, of either version of IP.
        case tcp
        /// UDP, of either version of IP.
        case udp
    }

    /// The protocol.
    public let transport: Transport
    /// The port's number.
    public let number: UInt16
    /// The addresses on which it listens; each is one of them.
    public var ip: [TextPattern]?

    /// A port on any address.
    public init(transport: Transport, number: UInt16) {
        self.transport = transport
        self.number = number
    }

    /// Reads `tcp:22`, `udp:53` or the bare number of a TCP port.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard let digits = parts.last, !digits.hasPrefix("0"), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = UInt16(digits), parts.count <= 2,
            let transport = parts.count == 1 ? .tcp : Transport(rawValue: String(parts[0]))
        else { return nil }
        self.init(transport: transport, number: number)
    }

    /// The port as it is written.
    public var socket: String { "\(transport.rawValue):\(number)" }
}

/// What is expected of the processes that have a name.
public struct ProcessResource: Sendable, Hashable, Codable {
    /// The name that the kernel has, of at most 15 bytes.
    public let name: String
    /// Whether there is one.
    public var running = true
    /// How many there are.
    public var count: NumberCondition?

    /// The longest name that the kernel keeps, in bytes.
    public static let longestName = 15

    /// A process that runs.
    public init(name: String) { self.name = name }
}

/// What a command in the guest has to say, and how it has to end.
public struct CommandResource: Sendable, Hashable, Codable {
    /// The program and its arguments; no shell looks at them.
    public let run: [String]
    /// The exit status.
    public var exitStatus = NumberCondition(0)
    /// What it has to write to standard output; all of it holds.
    public var stdout: [TextPattern]?
    /// What it has to write to standard error; all of it holds.
    public var stderr: [TextPattern]?

    /// A command that ends with 0.
    public init(run: [String]) { self.run = run }

    /// The command for people; a command line of the shell's without the shell.
    public var title: String {
        let words = run.starts(with: ["/bin/sh", "-c"]) ? run.dropFirst(2) : run[...]
        return Name.quoted(words.joined(separator: " "))
    }
}

/// What is expected to be mounted at a path.
public struct MountResource: Sendable, Hashable, Codable {
    /// The mount point.
    public let path: RootPath
    /// Whether anything is mounted there.
    public var exists = true
    /// The device.
    public var source: TextPattern?
    /// The kind of file system.
    public var filesystem: TextPattern?
    /// The options; each is one of them.
    public var opts: [TextPattern]?

    /// A path at which something is mounted.
    public init(path: RootPath) { self.path = path }
}
