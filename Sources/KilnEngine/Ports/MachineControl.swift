import KilnModel

/// What the hypervisor says of a machine.
public enum MachineState: String, Sendable, Hashable, Codable {
    /// The hypervisor does not know it.
    case absent
    /// Defined, but no process.
    case off
    /// Its processors run.
    case running
    /// It has a process, but its processors stand still, for example after a write error.
    case paused
    /// It has a process that is of no use any more: the guest crashed.
    case crashed

    /// Whether a process of the machine may exist.
    public var isAlive: Bool { self == .running || self == .paused || self == .crashed }
}

/// A published port of a machine.
public struct PortForward: Sendable, Hashable, Codable {
    /// The port on 127.0.0.1.
    public let host: UInt16
    /// The port in the guest.
    public let guest: UInt16
    /// By what both are spoken to.
    public let transport: Transport

    /// A forward from its ports.
    public init(host: UInt16, guest: UInt16, transport: Transport = .tcp) {
        self.host = host
        self.guest = guest
        self.transport = transport
    }
}

/// Machines, with all that can be done to them.
///
/// All methods can be repeated: to start what runs or to remove what is absent is not an error. All throw `KilnError`;
/// one with exit `.unreachable` means that nothing is known of what happened.
public typealias MachineControl = MachineLifecycle & MachineDevices & MachinePublication & MachineInspection
    & MachineMonitor & MachineTemplates

/// Makes, starts, stops and removes machines.
public protocol MachineLifecycle: Sendable {
    /// Defines the machine, or defines it anew while it is off.
    func define(_ machine: MachineSpec) async throws
    /// Starts a defined machine with its published ports; the guest's first instruction runs after the ports are bound.
    func start(_ machine: MachineID, forwards: [PortForward]) async throws
    /// Asks the guest to shut down, through the agent and the power button; returns at once, with what was said against it.
    func requestShutdown(_ machine: MachineID) async throws -> String?
    /// Ends the machine without asking the guest; returns when it is off.
    func powerOff(_ machine: MachineID) async throws
    /// Waits until the machine is off; false if it is still on at the deadline.
    func waitUntilOff(_ machine: MachineID, within deadline: Duration) async throws -> Bool
    /// Restarts the guest, in the same process.
    func reboot(_ machine: MachineID) async throws
    /// Forgets a machine that is off.
    func undefine(_ machine: MachineID) async throws
}

/// Changes what is plugged into machines that run.
public protocol MachineDevices: Sendable {
    /// Takes the seed disk out of a running machine, and out of its definition.
    func detachSeed(_ machine: MachineID, path: String) async throws
    /// Plugs a volume into a machine that runs, and into its definition; `machine` says where its place is.
    func attach(_ volume: MachineSpec.Volume, to machine: MachineSpec) async throws
    /// Lets a machine that has a process go on writing to an empty layer that lies over the one it writes to now; its
    /// definition follows.
    func moveVolume(_ volume: VolumeID, of machine: MachineID, to layer: String) async throws
}

/// Decides whether clients reach a machine that runs; by which ports, who starts it says.
public protocol MachinePublication: Sendable {
    /// Plugs the cable of a running machine's user network in, or out: then nothing of the network reaches the guest.
    func setLink(of machine: MachineID, isUp: Bool) async throws
}

/// Looks at machines, and changes nothing.
public protocol MachineInspection: Sendable {
    /// What the hypervisor says of the machine now; never from a first listing after a reconnect.
    func state(of machine: MachineID) async throws -> MachineState
    /// All machines of all labs that the hypervisor knows by the names of their domains; whether one is of this state directory
    /// is told by ``disks(of:)``.
    func machines() async throws -> [MachineID: MachineState]
    /// The definition as the hypervisor holds it, for evidence; nothing if it is absent.
    func definition(of machine: MachineID) async throws -> String?
    /// The files of the disks that it is defined with; none if it is absent.
    func disks(of machine: MachineID) async throws -> [String]
    /// The file that a machine with a process writes to for a volume; nothing where it has no process or no such volume.
    func activeLayer(of volume: VolumeID, in machine: MachineID) async throws -> String?
    /// The file with what the machine's process said, in this start and in those before; it may not be there.
    ///
    /// - Throws: `KilnError` with code `logs.none` where none is kept.
    func processLog(of machine: MachineID) throws -> String
    /// What the machine's process said last since its latest start, printable, short and on one line; nothing where it said
    /// nothing.
    func lastWords(of machine: MachineID) -> String?
    /// What the machines of this host are like.
    var platform: Platform { get }
    /// The user that machines run as where the definition has to say so.
    var user: MachineSpec.User? { get }
}

/// Speaks with what runs a machine; only faults need it.
public protocol MachineMonitor: Sendable {
    /// Sends a command to the monitor of a machine with a process, in QEMU's machine protocol; returns what it answered.
    ///
    /// Throws `machine.monitor-refused` where QEMU answers with an error.
    func monitor(_ command: String, _ arguments: [String: JSONValue], of machine: MachineID) async throws -> JSONValue
}

extension MachineInspection {
    /// What the process of a machine that ended said last, as the end of a sentence; empty where it said nothing.
    func ending(of machine: MachineID) -> String { lastWords(of: machine).map { "; QEMU said last: \($0)" } ?? "" }
}
