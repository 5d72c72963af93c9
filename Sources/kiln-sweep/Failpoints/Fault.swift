/// What happens to an operation at a point.
enum Fault: String, Sendable, CaseIterable {
    /// SIGKILL to kiln.
    case kill
    /// The step fails.
    case fail
    /// SIGKILL to the old machine's QEMU.
    case killOld = "kill-old"
    /// SIGKILL to the new machine's QEMU.
    case killNew = "kill-new"
    /// Kiln stands still, while a second kiln is told to change the same server.
    case secondKiln = "second-kiln"
    /// No space where lab and journal lie.
    case fullState = "full-state"
    /// No space where the root overlays lie.
    case fullOverlay = "full-overlay"
    /// No space where the volumes lie.
    case fullVolume = "full-volume"
    /// Every sync of kiln fails with EIO.
    case inputOutputErrorOfState = "io-error-state"
    /// A write of the machine to the volume fails with EIO.
    case inputOutputError = "io-error"
    /// A write of the newest machine to its root overlay fails with EIO.
    case inputOutputErrorOfRoot = "io-error-overlay"
    /// SIGKILL to the libvirt daemon.
    case killDaemon = "kill-daemon"

    /// Those that are tried on a way back; there the first failure has taken the place of the others.
    static let onTheWayBack: [Fault] = [.kill, .fail]

    /// The only moments at which it is tried; nothing where all of them are.
    ///
    /// One each for the old machine, and for a new one that boots, that serves, and that is about to stay.
    var moments: Set<String>? {
        self == .inputOutputErrorOfRoot ? ["drain.before", "start.after", "verify.before", "commit.before"] : nil
    }

    /// Whether it ends a machine or lets it stand still, so that something is off even where the replacement is over.
    var stopsMachines: Bool {
        switch self {
        case .killOld, .killNew, .fullState, .fullOverlay, .fullVolume, .inputOutputError, .inputOutputErrorOfRoot: true
        case .kill, .fail, .secondKiln, .inputOutputErrorOfState, .killDaemon: false
        }
    }

    /// Why it can't happen at a point; nothing where it can.
    func impossibility(at point: Point) -> String? {
        switch self {
        case .killOld where !point.isOldThere: "the old machine has ended by then"
        case .killNew where !point.isNewThere: "the new machine does not run yet"
        case .inputOutputError where !point.isVolumeHeld:
            "no machine has the volume then; Kiln's own writes to it fail in full-volume"
        case .inputOutputError where point.isFrozen: "the guest's file systems are frozen then, and write nothing"
        default: nil
        }
    }
}

/// One run of the failpoint tier.
struct FailpointCell: Sendable {
    let point: Point
    let fault: Fault

    var name: String { "failpoints/\(point.operation.name)/\(point.name)/\(fault.rawValue)" }

    /// All of them, those that can't occur too; a fault after the other, so that a part of a sweep has seen every step.
    static let all: [FailpointCell] = Operation.all.flatMap { operation in
        Fault.allCases.flatMap { fault in operation.points(for: fault).map { FailpointCell(point: $0, fault: fault) } }
            + Fault.onTheWayBack.flatMap { fault in
                operation.pointsBack.map { FailpointCell(point: $0, fault: fault) }
            }
    }
}
