import Foundation
import KilnModel
import KilnStore

/// What names a template: all that a clone must have in common with it.
struct TemplateKey: Sendable, Hashable {
    /// 64 digits.
    let text: String

    /// What a template depends on.
    ///
    /// Two of the same are the same machine up to the moment at which they are held.
    private struct Material: Encodable {
        let format = 1
        let image: ImageDigest
        let ground: String
        let arch: String
        let machine: String
        let acceleration: MachineSpec.Acceleration
        let memory: UInt64
        let processors: Int
        let cpu: String?
        let root: UInt64?
        let commandLine: String
        let laterVolumes: Int
        let cards: Int
    }

    /// The key of the template that a machine of this record would be.
    ///
    /// - Parameter ground: what the hypervisor says that its templates depend on.
    /// - Throws: `template.impossible` where its firmware starts it: nothing tells such a guest to wait.
    init(_ record: GenerationRecord, _ spec: MachineSpec, ground: String) throws {
        guard case .direct(_, _, let commandLine) = spec.boot else {
            throw KilnError(
                .templateImpossible,
                "\(record.image.name):\(record.image.version) is started by its firmware, and nothing tells its kernel to wait",
                exit: .aborted
            )
        }
        let material = Material(
            image: record.image.digest,
            ground: ground,
            arch: spec.platform.arch,
            machine: spec.platform.machine,
            acceleration: spec.platform.acceleration,
            memory: UInt64(spec.size.memory.bytes),
            processors: spec.size.processors,
            cpu: spec.size.cpu?.text,
            root: record.disk.map { UInt64($0.bytes) },
            commandLine: commandLine,
            laterVolumes: spec.laterVolumes,
            cards: spec.cards.count
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        text = try FileDigest.sha256(try encoder.encode(material)).hex
    }

    /// A key by its text, as it names a folder.
    init?(named name: String) {
        guard let digest = ImageDigest(name), digest.hex == name else { return nil }
        text = name
    }
}
