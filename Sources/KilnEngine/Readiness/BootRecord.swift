import Foundation
import KilnModel
import KilnSystem

/// When a machine was started last, and how long it then took to be ready; kept beside its record, which never changes.
struct BootRecord: Sendable, Hashable, Codable {
    // First, and so decoded first: what a later version wrote need not have what follows.
    private var format = RecordFormat()
    /// When it was started, or its guest restarted.
    let started: HostUptime
    /// The milliseconds until it was first found ready; nothing while it is not.
    var milliseconds: Int?
    /// Whether it goes on where a template stood, and has not booted; nothing means that it booted.
    var isCloned: Bool?

    init(started: HostUptime) { self.started = started }
}

extension ServerWorkspace {
    private func bootRecord(_ machine: MachineID) -> String { state.generation(machine) + "/boot.json" }

    /// Notes that a machine is being started.
    func noteStart(of machine: MachineID) throws {
        try DurableFile.writeJSON(BootRecord(started: .now), to: bootRecord(machine))
    }

    /// Whether a machine was ever started, as far as that was noted.
    func hasStarted(_ machine: MachineID) throws -> Bool {
        try DurableFile.readJSON(BootRecord.self, from: bootRecord(machine)) != nil
    }

    /// Notes that the start that was noted last is no boot.
    func noteClone(_ machine: MachineID) throws {
        guard var boot = try DurableFile.readJSON(BootRecord.self, from: bootRecord(machine)) else { return }
        boot.isCloned = true
        try DurableFile.writeJSON(boot, to: bootRecord(machine))
    }

    /// Whether a machine has not booted since it was cloned.
    func isClone(_ machine: MachineID) -> Bool {
        (try? DurableFile.readJSON(BootRecord.self, from: bootRecord(machine)))?.isCloned ?? false
    }

    /// Notes that a machine is ready; the first time since its start counts.
    ///
    /// What can't be noted is no reason to give a machine up.
    func noteReady(_ machine: MachineID) {
        guard var boot = try? DurableFile.readJSON(BootRecord.self, from: bootRecord(machine)),
            boot.milliseconds == nil, let time = HostUptime.now.since(boot.started)
        else { return }
        boot.milliseconds = Int(time / .milliseconds(1))
        try? DurableFile.writeJSON(boot, to: bootRecord(machine))
    }

    /// How long a machine took from its last start until it was ready; nothing where it was not found ready since, or a Kiln
    /// that noted no start has started it.
    func timeToReady(_ machine: MachineID) throws -> Duration? {
        try DurableFile.readJSON(BootRecord.self, from: bootRecord(machine))?.milliseconds.map { .milliseconds($0) }
    }
}
