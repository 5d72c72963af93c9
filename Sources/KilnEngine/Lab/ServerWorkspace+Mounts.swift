import KilnModel

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
        try await lookForMounts(of: machine, asking: true)
    }

    /// Throws `volume.not-mounted` unless each volume is mounted where it should be.
    func requireMounts(of machine: MachineID) async throws { try await lookForMounts(of: machine, asking: false) }

    private func lookForMounts(of machine: MachineID, asking: Bool) async throws {
        let mounts = try mounts(of: machine)
        guard !mounts.isEmpty else { return }
        let arguments = mounts.flatMap { [$0.unit, $0.path, $0.id.description] }
        try await runScript(
            GuestMount.script,
            [asking ? "ask" : "look"] + arguments,
            "mounting \(mounts.map(\.path).joined(separator: ", "))",
            in: machine
        )
    }

    /// The volumes of a machine, by the order of their names.
    func mounts(of machine: MachineID) throws -> [GuestMount] {
        try record(machine).spec.volumes.sorted { $0.key < $1.key }.compactMap { name, path in
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
        parts.progress(.waiting(machine.server, machine.generation, purpose))
        let command = GuestCommand(["/bin/sh", "-c", script, "kiln"] + arguments, deadline: .seconds(60))
        let result = try await parts.guests.run(command, in: machine)
        guard result.status != 0 else { return }
        let said = Name.quoted(String(decoding: (result.output + result.errors).suffix(400), as: UTF8.self))
        throw KilnError(
            "volume.not-mounted",
            "\(purpose) in the guest of \(machine) failed: \(said)",
            hint: "see whether the image knows the file system and can make the mount point",
            exit: .aborted
        )
    }
}
