import Foundation
import KilnModel
import KilnSystem

/// A record of the journal of a lab's autopilots.
public struct AutopilotRecord: Sendable, Hashable, Codable {
    /// When, by the wall clock; shown to people, never used in a decision.
    public let time: Date
    /// The process that wrote it.
    public let pid: Int32
    /// The boot of the host that the event's times are of.
    let boot: String
    /// What happened.
    public let event: AutopilotEvent

    init(_ event: AutopilotEvent, boot: String = HostUptime.now.bootID) {
        time = Date()
        pid = getpid()
        self.boot = boot
        self.event = event
    }
}

/// What is kept of a lab's autopilots.
struct AutopilotFiles: Sendable {
    let lab: Name
    let state: StateDirectory

    private var path: String { state.autopilot(lab) }
    var journal: JournalFile<AutopilotRecord> { JournalFile(path: path) }

    /// All records, oldest first.
    func records() throws -> [AutopilotRecord] { try journal.records() }

    /// What happened since the host's boot: before that it was another life of all machines.
    func events() throws -> [AutopilotEvent] {
        let boot = HostUptime.now.bootID
        return try records().filter { $0.boot == boot }.map(\.event)
    }

    /// The moves that were begun before the host's boot and never ended: the lab still declares what came of them.
    func movesBeforeBoot() throws -> [ServerID: AutoscaleMove] {
        let boot = HostUptime.now.bootID
        return try records().filter { $0.boot != boot }.reduce(into: [:]) { open, record in
            switch record.event {
            case .scaling(let move, _): open[move.server] = move
            case .scaled(let server, _, _): open[server] = nil
            case .began, .ended, .gaveUp, .serves: break
            }
        }
    }

    /// Appends an event durably.
    func append(_ event: AutopilotEvent) throws { try journal.append(AutopilotRecord(event)) }

    /// Takes the lock of the lab's autopilot, or throws `lock.held`, which names who has it.
    func lock() throws -> FileLock { try FileLock(path + ".lock", subject: "the autopilot of the lab \(lab)") }

    /// The process of the lab's autopilot; nothing where there is none.
    ///
    /// No lock is taken for it.
    var pid: Int32? {
        let descriptor = open(path + ".lock", O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return KernelLock.holders(of: descriptor).first
    }
}

/// The clock of autopilots: time in which the host sleeps counts, so that it is seen that it did.
enum AutopilotClock {
    /// The time since the host's boot.
    static var now: Duration { .seconds(HostUptime.now.seconds) }

    /// The minute of the day, for the windows that people write.
    static var minute: Int {
        let parts = Calendar.current.dateComponents([.hour, .minute], from: Date())
        return (parts.hour ?? 0) * 60 + (parts.minute ?? 0)
    }
}
