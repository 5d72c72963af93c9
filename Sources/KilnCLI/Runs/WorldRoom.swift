import KilnFaults
import KilnModel
import KilnScenarios
import KilnSystem

/// How large the file systems of a home of a run's own are: they lie in memory, and a fault may fill them.
struct WorldRoom: Sendable {
    /// The most bytes of each.
    let sizes: [HomePart: UInt64]

    /// The room for scenarios that run one after another.
    ///
    /// - Parameter available: the host's memory; nothing where the kernel does not tell.
    /// - Throws: `KilnError` with code `fault.impossible` where it would take more than half of that.
    init(for scenarios: [Scenario], of available: ByteCount? = HostMemory.available()) throws {
        let declared = scenarios.map { scenario in
            scenario.lab.volumes.values.reduce(UInt64(0)) { sum, volume in
                let (more, isTooMuch) = sum.addingReportingOverflow(volume.size.bytes)
                return isTooMuch ? .max : more
            }
        }
        let most = min(declared.max() ?? 0, 1 << 50)
        // Twice, since a volume that was sealed has a layer more; they only take the memory that is written.
        let volumes = 2 * most + 128 << 20
        sizes = [.labs: WorldRoom.labs, .volumes: volumes]
        guard let available, available.bytes / 2 < WorldRoom.labs + volumes else { return }
        throw KilnError(
            .faultImpossible,
            "a home of the run's own lies in memory: \(ByteCount(bytes: WorldRoom.labs + volumes)) needed for volumes of "
                + "\(ByteCount(bytes: most)), at most \(ByteCount(bytes: available.bytes / 2)) can be had",
            hint: "declare smaller volumes in the scenario, or end other programs",
            exit: .aborted
        )
    }

    /// Enough for the journals of a lab, and for what its machines write to their roots.
    private static let labs: UInt64 = 512 << 20
}
