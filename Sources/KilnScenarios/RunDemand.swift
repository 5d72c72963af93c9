import KilnEngine
import KilnModel

/// What a run of a scenario takes of its host while others run beside it.
public struct RunDemand: Sendable, Hashable {
    /// The memory of the machines that are there at once.
    public let memory: ByteCount
    /// Their virtual processors.
    public let processors: Int
    /// Whether nothing may run beside it: how long users waited, or a server took, is judged, and a busy host would decide that;
    /// or the host itself is broken.
    public let isAlone: Bool

    /// A demand from its parts.
    public init(memory: ByteCount, processors: Int, isAlone: Bool) {
        self.memory = memory
        self.processors = processors
        self.isAlone = isAlone
    }
}

extension Scenario {
    /// What a run of it takes at most.
    ///
    /// - Parameter size: what is known of an image, which decides where the file doesn't say.
    public func demand(_ size: (ImageReference) -> MachineSize?) -> RunDemand {
        let all = (steps + finally).flatMap(\.all)
        // Of a warm-first replacement, and in a rehearsal, there are two machines at once.
        let doubled = all.compactMap { $0.action as? ReplaceStep }
            .filter { $0.options.strategy == .warmFirst || $0.options.rehearsesFirst }.map(\.server)
        let declared = all.compactMap { $0.action as? DeclareStep }
        var (bytes, processors) = (UInt64(0), 0)
        for (name, server) in lab.servers {
            let usual = size(server.image)
            let machines = server.strategy == .warmFirst || doubled.contains(name) ? 2 : 1
            let members = declared.filter { $0.server == name }.compactMap(\.replicas).reduce(server.replicas, max)
            for _ in 0..<machines + members - 1 {
                // A file may declare more than there is in the world.
                let memory = (server.memory ?? usual?.memory ?? Scenario.usualMemory).bytes
                bytes = bytes.addingReportingOverflow(memory).overflow ? .max : bytes + memory
                processors += server.processors ?? usual?.processors ?? 1
            }
        }
        return RunDemand(
            memory: ByteCount(bytes: bytes),
            processors: processors,
            isAlone: needsOwnHome || all.contains { ($0.action as? ExpectStep)?.judgesTime ?? false }
        )
    }

    /// What a machine has of which nothing is known.
    static let usualMemory = ByteCount(bytes: 512 << 20)
}
