import Foundation
import KilnModel
import KilnStore
import KilnSystem

/// Makes one template: boots a machine without identity, and keeps it as it stands where it is held.
struct TemplateMaker: Sendable {
    let store: TemplateStore
    let workspace: ServerWorkspace
    let record: GenerationRecord
    let key: TemplateKey

    private var folder: String { store.making(key) }
    private var parts: EngineParts { store.parts }

    /// Makes it, under its lock; a half-made one of a command that was killed is removed first.
    ///
    /// - Throws: `template.not-held`, `template.failed`, `image.…` where its image was revoked meanwhile.
    func make() async throws {
        try await TemplateMaker.clearAway(folder, store)
        let machine = try TemplateMaker.machine()
        let spec = try workspace.template(record, as: machine, in: folder)
        try DurableFile.makeDirectory(folder)
        try DurableFile.writeJSON(machine, to: TemplateMaker.machineNote(in: folder))
        do {
            try await hold(spec)
            try Failpoint()?.hit("template.held")
            try await parts.machines.saveTemplate(spec, devices: Template.devices(in: folder))
            TemplateMaker.removeSockets(of: machine, store.state)
            try Failpoint()?.hit("template.saved")
            try await seal()
        } catch {
            // Also where the command was interrupted: an unstructured task does not inherit the cancellation.
            await Task { [folder, store] in try? await TemplateMaker.clearAway(folder, store) }.value
            throw error
        }
    }

    private func hold(_ spec: MachineSpec) async throws {
        try await parts.disks.createLayer(at: spec.root.path, over: record.files.disk, size: record.disk)
        try parts.disks.giveToMachines(spec.root.path)
        try await parts.machines.startTemplate(spec)
        try Failpoint()?.hit("template.started")
        let console = ConsoleLog(path: spec.consoleLog)
        let limit = ReadinessWaiter.timeout(of: record.spec, parts)
        let end = ContinuousClock.now + limit
        // No event tells of a line on a console.
        while !console.tellsOfHold {
            if let line = console.fatalLine { throw notHeld("its console says: \(line)") }
            guard try await parts.machines.state(of: spec.id) == .running else { throw notHeld("it ended") }
            guard ContinuousClock.now < end else {
                throw notHeld("it did not say so within \(limit.components.seconds) s", exit: .deadline)
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    private func notHeld(_ why: String, exit: KilnModel.ExitCode = .aborted) -> KilnError {
        KilnError(
            .templateNotHeld,
            "a machine of \(record.image.name):\(record.image.version) was not held before its cloud-init: \(why)",
            hint: "see whether the image still heeds '\(GenerationRecord.hold)', as its 'flash: true' says",
            exit: exit
        )
    }

    // The record comes last, and all of it gets its name at once.
    private func seal() async throws {
        guard chmod(Template.root(in: folder), 0o400) == 0 else { throw DurableFile.failure("chmod", folder) }
        let stamps = FileStamp.all(in: folder)
        let digests = try await TemplateStore.digests(in: folder)
        for file in [Template.console(in: folder), TemplateMaker.machineNote(in: folder)] {
            try DurableFile.remove(file)
        }
        let made = TemplateRecord(
            image: record.image,
            ground: try await parts.machines.templateGround(),
            digests: digests,
            stamps: stamps
        )
        try DurableFile.writeJSON(made, to: Template.record(in: folder))
        // Whoever revoked or deleted the image meanwhile found no template of it.
        let lock = try await ImageLock.take(.shared, ofStore: store.state.images) { _ in }
        defer { withExtendedLifetime(lock) {} }
        let reference = ImageReference(name: record.image.name, selector: .digest(record.image.digest))
        _ = try await parts.images.verifiedImage(reference, for: .newGeneration(.any))
        try store.remove(key)
        try DurableFile.rename(folder, to: store.folder(key))
        try Failpoint()?.hit("template.sealed")
    }

    static func machineNote(in folder: String) -> String { folder + "/machine.json" }

    // No lab has such a name in `kiln ps`, as nothing is below its folder; what is random keeps those of two homes apart.
    private static func machine() throws -> MachineID {
        let server = try Name("t-\(String(UInt32.random(in: .min ... .max), radix: 36))")
        return MemberID(lab: try Name("kiln-templates"), server: server, ordinal: 0).machine(Generation(1))
    }

    /// Ends and removes what was made of a template that is not whole.
    static func clearAway(_ folder: String, _ store: TemplateStore) async throws {
        guard FileManager.default.fileExists(atPath: folder) else { return }
        if let machine = try? DurableFile.readJSON(MachineID.self, from: machineNote(in: folder)) {
            let machines = store.parts.machines
            if try await machines.state(of: machine) != .absent {
                try await machines.powerOff(machine)
                try await machines.undefine(machine)
            }
            removeSockets(of: machine, store.state)
        }
        try DurableFile.remove(folder)
    }

    // Nobody removes them when a machine ends.
    private static func removeSockets(of machine: MachineID, _ state: StateDirectory) {
        for socket in state.sockets(of: machine) { unlink(socket) }
    }
}
