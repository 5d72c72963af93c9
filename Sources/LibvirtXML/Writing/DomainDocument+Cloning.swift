public import KilnModel

extension DomainDocument {
    /// What QEMU is told of the memory of a template or of a clone, for which libvirt has no words: it chooses the files of
    /// memory by itself.
    ///
    /// The memory that libvirt declares is there as well, and nobody ever touches it.
    static func cloning(of spec: MachineSpec) -> [String] {
        guard let cloning = spec.cloning else { return [] }
        let path = quoted(cloning.memory)
        let file = "memory-backend-file,id=\(memoryID),size=\(spec.size.memory.bytes),mem-path=\(path)"
        let machine = ["-machine", "memory-backend=\(memoryID)"]
        switch cloning {
        case .template: return ["-object", file + ",share=on"] + machine
        case .clone(_, let isSealed):
            // Read-only is the file, not the memory that begins as it.
            let sealed = isSealed ? ",readonly=on,rom=off" : ""
            return ["-object", file + ",share=off" + sealed] + machine + ["-incoming", "defer"]
        }
    }

    private static let memoryID = "kiln-memory"
}

/// The places into which a clone's devices are plugged: a template has one for each, and its guest looks for no others.
///
/// Those that libvirt knows of count from the first one, as it looks for a free one from there; those that are plugged in behind
/// its back count from the last.
public struct ClonePorts: Sendable, Hashable {
    /// How many there are.
    public let count: Int
    /// The place of the seed.
    public let seed = 1
    private let hasCard: Bool

    /// The places of a machine with all that it will have, whatever of that it has now.
    public init(_ machine: MachineSpec) {
        hasCard = machine.network == .open
        let passed = machine.cards.count + (hasCard ? 0 : 1)
        count = 1 + (hasCard ? 1 : 0) + machine.volumes.count + machine.laterVolumes + passed
    }

    /// The place of the card on the open network.
    public var card: Int { 2 }
    /// The place of a volume by its position.
    public func volume(_ position: Int) -> Int { (hasCard ? 3 : 2) + position }
    /// The place of a card that libvirt does not know, by its position.
    public func passedCard(_ position: Int) -> Int { count - position }
}
