import Foundation
import KilnModel

/// A command to be run in a guest.
public struct GuestCommand: Sendable, Hashable {
    /// The program and its arguments; no shell looks at them.
    public let arguments: [String]
    /// What the command reads from its standard input.
    public let input: [UInt8]
    /// How long it may take.
    public let deadline: Duration

    /// How long a command may take where nothing is said.
    public static let usualDeadline = Duration.seconds(60)

    /// A command from its parts.
    public init(_ arguments: [String], input: [UInt8] = [], deadline: Duration = GuestCommand.usualDeadline) {
        self.arguments = arguments
        self.input = input
        self.deadline = deadline
    }
}

/// What a command in a guest left behind.
///
/// A non-zero exit status is a result, not an error.
public struct GuestCommandResult: Sendable, Hashable {
    /// The exit status, or 128 plus the signal that ended it.
    public let status: Int32
    /// What it wrote to standard output; hostile bytes.
    public let output: [UInt8]
    /// What it wrote to standard error; hostile bytes.
    public let errors: [UInt8]
    /// Whether it wrote more than that.
    public let isCut: Bool

    /// A result from its parts.
    public init(status: Int32, output: [UInt8], errors: [UInt8], isCut: Bool = false) {
        self.status = status
        self.output = output
        self.errors = errors
        self.isCut = isCut
    }
}

/// Reaches into guests: through the guest agent, which needs no network, or otherwise where there is none.
///
/// All methods throw `KilnError`.
public protocol GuestAccess: Sendable {
    /// Waits until the agent answers; throws `guest.agent-silent` or `guest.no-agent` at the deadline.
    func awaitAgent(_ machine: MachineID, within deadline: Duration) async throws
    /// Waits until commands get into the guest, and says by which way; throws `guest.no-agent` at the deadline where neither is
    /// there, which names both, `guest.agent-silent`, `guest.ssh-silent`, or `guest.host-key-differs` at once.
    func awaitWay(into machine: MachineID, within deadline: Duration) async throws -> GuestWay
    /// Runs a command that writes little, and captures that; what is more than a few megabytes may be cut off, or lost with
    /// `guest.result-lost`.
    func run(_ command: GuestCommand, in machine: MachineID) async throws -> GuestCommandResult
    /// Runs a command that may read and write much, and takes what it writes while it runs; costs more than ``run(_:in:)``.
    func converse(_ command: GuestCommand, _ dialogue: GuestDialogue, in machine: MachineID) async throws -> GuestEnding
    /// The content of a file, or nothing where there is none; throws beyond `limit` bytes.
    func read(_ path: String, in machine: MachineID, limit: Int) async throws -> [UInt8]?
    /// Hands on the content of a file of any size, part by part; whether there is one.
    func read(_ path: String, in machine: MachineID, take: @Sendable ([UInt8]) throws -> Void) async throws -> Bool
    /// Writes a file, replacing its content.
    func write(_ content: [UInt8], to path: String, in machine: MachineID) async throws
    /// Flushes the guest's file systems and holds back writes until ``thaw(_:within:)``.
    ///
    /// Where it throws, whether they are held back is unknown.
    func freeze(_ machine: MachineID, within deadline: Duration) async throws
    /// Lets writes go on; what is not held back is no error.
    func thaw(_ machine: MachineID, within deadline: Duration) async throws
}
