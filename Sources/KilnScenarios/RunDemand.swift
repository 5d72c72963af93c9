import KilnModel

/// What a run of a scenario takes of its host while others run beside it.
public struct RunDemand: Sendable, Hashable {
    /// The memory of the machines that are there at once.
    public let memory: ByteCount
    /// Their virtual processors.
    public let processors: Int
    /// Whether nothing may run beside it: how long users waited is judged, and a busy host would decide that.
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
        let all = steps.flatMap(\.all)
        var (bytes, processors) = (UInt64(0), 0)
        for server in lab.servers.values {
            let usual = size(server.image)
            // Of a warm-first replacement there are two machines at once.
            let machines: UInt64 = server.strategy == .warmFirst ? 2 : 1
            bytes += machines * (server.memory ?? usual?.memory ?? Scenario.usualMemory).bytes
            processors += Int(machines) * (server.processors ?? usual?.processors ?? 1)
        }
        return RunDemand(
            memory: ByteCount(bytes: bytes),
            processors: processors,
            isAlone: all.contains { ($0.action as? ExpectStep)?.judgesAvailability ?? false }
        )
    }

    private static let usualMemory = ByteCount(bytes: 512 << 20)
}
