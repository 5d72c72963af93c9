import KilnModel
import KilnSystem

extension ServerWorkspace {
    /// The id that the kernel of a machine's guest has had since it booted.
    ///
    /// - Throws: `KilnError` where the guest can't be asked, or says something else.
    func bootID(of machine: MachineID) async throws -> String {
        let command = GuestCommand(["/bin/cat", "/proc/sys/kernel/random/boot_id"], deadline: .seconds(20))
        let said = Printable.text(try await parts.guests.run(command, in: machine).output, limit: 100)
        let id = said.filter { !$0.isWhitespace }
        guard id.count == 36 else {
            throw KilnError(
                .guestNonsense,
                "the guest of \(machine) was asked for the id of its boot, and said \(Name.quoted(said))"
            )
        }
        return id
    }

    /// Waits until a guest that was told to restart has done so.
    ///
    /// - Throws: `stop.timeout` where it does not, within the time that it has for shutting down and for being ready.
    func awaitBoot(of machine: MachineID, after before: String) async throws {
        let spec = try record(machine).spec
        let limit = spec.stopTimeout + ReadinessWaiter.timeout(of: spec, parts)
        let end = ContinuousClock.now + limit
        while true {
            // Of a machine that ended, whoever waits for it to be ready tells.
            guard try await parts.machines.state(of: machine).isAlive else { return }
            if let id = try? await bootID(of: machine), id != before { return }
            guard ContinuousClock.now < end else {
                throw KilnError(
                    .stopTimeout,
                    "the guest of \(machine) did not restart within \(limit.components.seconds) s",
                    hint: "see what it waits for with 'kiln logs \(machine.member)'",
                    exit: .deadline
                )
            }
            // A guest that restarts calls nobody: only its answer tells.
            try await Task.sleep(for: .milliseconds(500))
        }
    }
}
