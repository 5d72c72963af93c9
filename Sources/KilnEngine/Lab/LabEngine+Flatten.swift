import KilnModel

/// What a bake in a machine needs of it besides.
extension LabEngine {
    /// Plugs the cable of a server's running machine in, or out: then nothing of the network reaches the guest.
    ///
    /// - Throws: `machine.link-unchanged`.
    public func setLink(of id: MemberID, isUp: Bool) async throws {
        try await parts.machines.setLink(of: try machine(id), isUp: isUp)
    }

    /// Everything on the root of a server's machine, seen from outside.
    ///
    /// A running guest is asked to hold back its writes while its layer is copied, as for ``drift(_:generation:)``.
    ///
    /// - Throws: as ``drift(_:generation:)``.
    public func listing(ofRootOf id: MemberID) async throws -> RootListing {
        let (workspace, machine) = (try existing(id), try machine(id))
        let record = try workspace.record(machine)
        let (copy, _) = try await copyLocked(machine, workspace)
        defer { parts.roots.discard(copy) }
        return try await parts.roots.listing(of: copy, over: record.files.disk, size: record.disk, below: [])
    }

    /// Writes the root of a server's machine, which has to be off, to a new qcow2 file that stands alone.
    ///
    /// - Throws: `machine.alive` where the machine is not off, or a process has its root; `disk.…`, `tool.…`.
    public func flatten(_ id: MemberID, to file: String) async throws {
        let workspace = try existing(id)
        let lock = try workspace.lock()
        defer { withExtendedLifetime(lock) {} }
        let machine = try machine(id)
        try await workspace.proveOff(machine)
        try await workspace.proveRootUnheld(machine)
        let backing = try workspace.record(machine).files.disk
        try await parts.disks.flatten(state.rootOverlay(machine), over: backing, to: file)
    }
}

extension ServerWorkspace {
    /// Proves that no process has the root of a machine that is off, and that a lock can be taken on it that excludes every QEMU.
    func proveRootUnheld(_ machine: MachineID) async throws {
        let overlay = state.rootOverlay(machine)
        try await awaitRelease(.machineAlive) {
            let holding = try parts.holders.holders(of: overlay)
            if holding.isEmpty, try parts.holders.isLockObtainable(overlay) { return }
            let holder = holding.first.map { "\($0)" } ?? "a process that can't be seen from here"
            throw KilnError(
                .machineAlive,
                "the root of \(machine), which is off, should be nobody's, but \(holder) has it open",
                hint: "end that process",
                exit: .blocked
            )
        }
    }
}
