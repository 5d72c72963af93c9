import Foundation
import KilnModel
import KilnSystem

/// Machines that go on where a template stands, instead of booting.
extension ServerWorkspace {
    /// Makes a machine that never ran a clone which stands still.
    ///
    /// - Returns: false where it has to boot; why is told and noted, and its root is as it was made.
    /// - Throws: only where nothing is known of the hypervisor, or the command was interrupted.
    func clone(_ spec: MachineSpec, _ record: GenerationRecord) async throws -> Bool {
        let templates = TemplateStore(state: state, parts: parts)
        var used: TemplateKey?
        do {
            let template = try await templates.find(for: record, self)
            used = template.key
            try note(LaunchRecord(.cloning, template: template.key.text), of: spec.id)
            try Failpoint()?.hit("clone.recorded")
            // A copy, of some MiB at most: whatever becomes of the template, the machine needs nothing of it any more.
            try SparseCopy.replace(spec.root.path, by: template.root)
            try parts.disks.giveToMachines(spec.root.path)
            try Failpoint()?.hit("clone.copied")
            try await parts.machines.clone(spec, memory: template.memory, devices: template.devices)
            try Failpoint()?.hit("clone.made")
            try noteClone(spec.id)
            try note(LaunchRecord(.cloned, template: template.key.text), of: spec.id)
            return true
        } catch is CancellationError {
            throw CancellationError()
        } catch let error as KilnError where error.exit != .unreachable {
            // Another Kiln may have made it otherwise; to make it again costs less than to fail by it again and again. What is
            // wrong with the host is not its fault, and others are being made of it; one of them may be removing it, too.
            if let used, error.code == .templateFailed { try? templates.remove(used) }
            try await bootInstead(spec.id, because: error.reason)
            return false
        }
    }

    /// Ends what a command left that was killed while it cloned: it has no device of its own, or not all.
    func clearAwayHalfClone(_ machine: MachineID) async throws {
        guard launchRecord(machine)?.way == .cloning else { return }
        try await bootInstead(machine, because: "the command that cloned it was interrupted")
    }

    private func bootInstead(_ machine: MachineID, because reason: String) async throws {
        // Before it is a machine again, nothing but this knows that it is none.
        if launchRecord(machine)?.way == .cloning {
            if try await parts.machines.state(of: machine).isAlive { try await parts.machines.powerOff(machine) }
            let record = try record(machine)
            for path in [state.rootOverlay(machine)] + drafts(of: machine) { try DurableFile.remove(path) }
            try await parts.disks.createLayer(
                at: state.rootOverlay(machine),
                over: record.files.disk,
                size: record.disk
            )
            try parts.disks.giveToMachines(state.rootOverlay(machine))
        }
        try note(LaunchRecord(.booted, reason: reason), of: machine)
        parts.progress(.note("\(machine) boots, and is not cloned: \(reason)"))
    }
}

extension KilnError {
    /// The message, and what caused it, in one line.
    var reason: String { cause.map { "\(message): \(Printable.line($0))" } ?? message }
}

extension SparseCopy {
    /// Puts a copy, which only its owner can read, in the place of a file.
    fileprivate static func replace(_ path: String, by source: String) throws {
        let draft = path + ".making"
        try DurableFile.remove(draft)
        try copy(source, to: draft)
        guard chmod(draft, 0o600) == 0 else { throw DurableFile.failure("chmod", draft) }
        try DurableFile.rename(draft, to: path)
    }
}
