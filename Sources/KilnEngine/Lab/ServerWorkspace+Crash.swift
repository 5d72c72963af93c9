import Foundation
import KilnModel

/// Kernels that an emulator brings down.
extension ServerWorkspace {
    /// Waits for a machine that boots; one whose kernel crashed before init ran is booted once more, where the processor that
    /// it ran on is a program.
    ///
    /// Nothing has mounted a volume by then. Volumes that the machine had are checked all the same, as after any loss of power.
    /// - Parameter ports: the ports on which it is asked; nothing means the published ones.
    /// - Returns: how often it was booted again.
    func survivingCrash(
        of machine: MachineID,
        on ports: [Name: UInt16]? = nil,
        _ wait: @Sendable () async throws -> Void
    ) async throws -> Int {
        do {
            try await wait()
            return 0
        } catch let error as KilnError
            where error.code == ReadinessWaiter.crashCode || error.code == ReadinessWaiter.diedCode
        {
            guard let line = try emulatorCrash(of: machine) else { throw error }
            parts.progress(
                .note("\(machine) crashed before init, maybe by a fault of the emulator; booting it again: \(line)")
            )
            try await bootAgain(machine, on: ports)
        }
        do {
            try await wait()
        } catch let error as KilnError {
            guard try emulatorCrash(of: machine) != nil else { throw error }
            throw KilnError(
                error.code,
                "\(error.message); it was booted twice, and its kernel crashed before init both times",
                hint: error.hint,
                cause: error.cause,
                exit: error.exit
            )
        }
        return 1
    }

    private func emulatorCrash(of machine: MachineID) throws -> String? {
        guard parts.machines.platform.isEmulated else { return nil }
        return try console(of: machine).crashBeforeInit(parts.machines.platform.crashes)
    }

    private func bootAgain(_ machine: MachineID, on ports: [Name: UInt16]?) async throws {
        // A machine that waits for its volumes has none yet: they are another's.
        let hasVolumes = try volumeNames(of: machine).allSatisfy {
            try volumes.record(lab: id.lab, $0)?.lease?.machine == machine
        }
        if hasVolumes { try await cutPower(of: machine) } else { try await parts.machines.powerOff(machine) }
        guard let ports else { return try await start(machine) }
        try await start(machine, ports: ports, withVolumes: hasVolumes)
    }
}
