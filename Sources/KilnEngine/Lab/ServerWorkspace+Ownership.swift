import KilnModel
import KilnSystem

/// Whose a machine is: one hypervisor may serve several state directories, which know nothing of each other.
extension ServerWorkspace {
    /// Whether the hypervisor knows a machine of this name that stands on another state directory's root.
    func isForeign(_ machine: MachineID) async throws -> Bool {
        let disks = try await parts.machines.disks(of: machine)
        let overlay = state.rootOverlay(machine)
        return !disks.isEmpty && !disks.contains { FileIdentity.areSame($0, overlay) }
    }

    /// Throws `machine.foreign` where the name of a machine that is to be made is taken by another state directory.
    func refuseForeign(_ machine: MachineID) async throws {
        guard try await isForeign(machine) else { return }
        let disk = try await parts.machines.disks(of: machine).first ?? "no disk"
        throw KilnError(
            .machineForeign,
            "the hypervisor has a machine \(machine) of another state directory, with \(disk)",
            hint: "name the lab otherwise, or leave '--connect' out: each state directory has a daemon of its own",
            exit: .blocked
        )
    }

    /// Lets the hypervisor forget a machine that is off; not one of another state directory.
    func undefine(_ machine: MachineID) async throws {
        if try await !isForeign(machine) { try await parts.machines.undefine(machine) }
    }
}
