/// What a machine has to compute with.
public struct MachineSize: Sendable, Hashable, Codable {
    /// Memory.
    public var memory: ByteCount
    /// Virtual processors.
    public var processors: Int
    /// Which instructions they have; nothing means the fastest of this host that has those of x86-64-v2.
    public var cpu: ProcessorModel?

    /// A size from its parts.
    public init(memory: ByteCount, processors: Int, cpu: ProcessorModel? = nil) {
        self.memory = memory
        self.processors = processors
        self.cpu = cpu
    }
}
