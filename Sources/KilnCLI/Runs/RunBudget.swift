import Foundation
import KilnModel
import KilnScenarios
import KilnSystem

/// How much of the host runs may take together.
struct RunBudget: Sendable, Equatable {
    /// The memory of all machines.
    let memory: UInt64
    /// Their virtual processors.
    let processors: Int

    /// What is free now: four fifths of the memory, and two virtual processors for each of the host's, for a machine mostly waits.
    static var ofHost: RunBudget {
        RunBudget(
            memory: HostMemory.available().map { $0.bytes / 5 * 4 } ?? .max,
            processors: 2 * ProcessInfo.processInfo.activeProcessorCount
        )
    }

    /// Whether a run may begin beside others; one that nothing runs beside always may.
    func hasRoom(for next: RunDemand, beside others: [RunDemand]) -> Bool {
        guard !others.isEmpty else { return true }
        guard !next.isAlone, !others.contains(where: \.isAlone) else { return false }
        let all = others + [next]
        var left = memory
        for run in all {
            guard run.memory.bytes <= left else { return false }
            left -= run.memory.bytes
        }
        return all.reduce(0) { $0 + $1.processors } <= processors
    }
}
