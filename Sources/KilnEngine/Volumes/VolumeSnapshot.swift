import Foundation
import KilnModel

/// A state of a volume that it can return to.
public struct VolumeSnapshot: Sendable, Hashable, Codable {
    /// What can be relied on when the state is mounted.
    public enum Consistency: String, Sendable, Hashable, Codable {
        /// The machine was off and had unmounted the volume.
        case clean
        /// The machine ran, and its guest had flushed its file systems and held back writes.
        case quiesced
        /// As after a power failure: the file system replays its journal, and what programs had not flushed is missing.
        case crashConsistent = "crash-consistent"
    }

    /// Why there is a snapshot.
    public enum Kind: String, Sendable, Hashable, Codable {
        /// A user wanted it.
        case named
        /// A replacement made it, and the merging of old layers removes it.
        case replacement
        /// A repair of the file system kept what was before.
        case repair
        /// Growing kept what was before.
        case grow
        /// A machine was started with the volume, and the merging of old layers removes it.
        case boot
        /// A guest formatted the volume; this is the last state before.
        case format

        /// Whether the merging of old layers leaves it.
        var isKept: Bool { self != .replacement && self != .boot }
    }

    /// Its name, of which a volume has one.
    public let name: Name
    /// The highest layer of the state; sealed.
    let layer: String
    /// When it was taken; nothing where an older Kiln didn't write that down.
    public let taken: Date?
    /// What can be relied on.
    public let consistency: Consistency
    /// Why there is a snapshot.
    public let kind: Kind
}
