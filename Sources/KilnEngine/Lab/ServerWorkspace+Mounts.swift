import KilnModel
import KilnSystem

/// Volumes as file systems of a guest.
extension ServerWorkspace {
    /// Lets a guest that booted without its volumes know what to mount once they come, also at its later boots.
    func prepareMounts(of machine: MachineID) async throws {
        let record = try record(machine)
        guard record.cloudInit == .full, !record.spec.volumes.isEmpty else { return }
        let units = try mounts(of: machine).map(\.unit)
        // Written to the disk now: what the guest still has in its memory only would not be there after a lost machine.
        let script = "systemctl --quiet enable \"$@\" && sync"
        try await runScript(script, units, "preparing its mounts", in: machine)
    }

    /// Mounts the volumes that were plugged into a guest.
    func mountVolumes(of machine: MachineID) async throws {
        guard try record(machine).cloudInit != .none else { return }
        try await lookForMounts(of: machine, "ask")
    }

    /// Throws `volume.not-mounted` unless each volume is mounted where it should be.
    func requireMounts(of machine: MachineID) async throws { try await lookForMounts(of: machine, "look") }

    /// Waits until each volume is mounted where it should be, unless that was seen since the machine booted.
    ///
    /// What is done in a guest before is done on its root, which the volumes hide then.
    /// - Throws: `volume.not-mounted` where cloud-init has ended without mounting them, or takes longer than to be ready.
    func awaitMounts(of machine: MachineID) async throws {
        let record = try record(machine)
        guard record.cloudInit != .none, !record.spec.volumes.isEmpty, !wasSeenMounted(machine) else { return }
        let deadline = ContinuousClock.now + ReadinessWaiter.timeout(of: record.spec, parts)
        while true {
            // In this order: what is not mounted after its end never will be.
            let hasEnded = try await parts.guests.read(CloudInitStatus.resultPath, in: machine, limit: 65536) != nil
            do {
                return try await lookForMounts(of: machine, "glance")
            } catch let error as KilnError where error.code == .volumeNotMounted {
                guard !hasEnded, ContinuousClock.now < deadline else { throw withoutWaiting(error) }
            }
            // Nothing tells the host of a mount in a guest.
            try await Task.sleep(for: .seconds(1))
        }
    }

    private func withoutWaiting(_ error: KilnError) -> KilnError {
        KilnError(
            error.code,
            error.message,
            hint: "'kiln exec' and 'kiln cp' reach the guest all the same with '--now'",
            cause: error.cause,
            exit: error.exit
        )
    }

    // Holds where the console of that boot begins, so that what was seen in one boot says nothing of the next.
    private func mountedMark(_ machine: MachineID) -> String { state.generation(machine) + "/mounted" }

    private func wasSeenMounted(_ machine: MachineID) -> Bool {
        (try? DurableFile.readJSON([UInt64].self, from: mountedMark(machine))) == [bootOffset(machine)]
    }

    /// Forgets that a machine was seen with its mounts: it is about to boot.
    func forgetMounts(of machine: MachineID) throws { try DurableFile.remove(mountedMark(machine)) }

    private func lookForMounts(of machine: MachineID, _ how: String) async throws {
        let mounts = try mounts(of: machine)
        guard !mounts.isEmpty else { return }
        let boot = bootOffset(machine)
        let arguments = mounts.flatMap { [$0.unit, $0.path, $0.id.description] }
        try await runScript(
            GuestMount.script,
            [how] + arguments,
            "mounting \(mounts.map(\.path).joined(separator: ", "))",
            in: machine
        )
        guard !wasSeenMounted(machine) else { return }
        // Only to save the next look.
        try? DurableFile.writeJSON([boot], to: mountedMark(machine))
    }

    /// The volumes of a machine, in the order in which they have to be mounted.
    func mounts(of machine: MachineID) throws -> [GuestMount] { try mounts(of: try record(machine).spec) }

    /// The volumes of a server as it is declared, in the order in which they have to be mounted.
    func mounts(of spec: ServerSpec) throws -> [GuestMount] {
        try spec.mounts.compactMap { name, path in
            try volumes.record(lab: id.lab, name).map {
                GuestMount(id: $0.id, path: path, fileSystem: $0.spec.fileSystem)
            }
        }
    }

    private func runScript(
        _ script: String,
        _ arguments: [String],
        _ purpose: String,
        in machine: MachineID
    ) async throws {
        parts.progress(.waiting(machine.member, machine.generation, purpose))
        let command = GuestCommand(["/bin/sh", "-c", script, "kiln"] + arguments, deadline: .seconds(60))
        let result = try await parts.guests.run(command, in: machine)
        guard result.status != 0 else { return }
        let said = Name.quoted(String(decoding: (result.output + result.errors).suffix(400), as: UTF8.self))
        throw KilnError(
            .volumeNotMounted,
            "\(purpose) in the guest of \(machine) failed: \(said)",
            hint: "see whether the image knows the file system and can make the mount point",
            exit: .aborted
        )
    }
}
