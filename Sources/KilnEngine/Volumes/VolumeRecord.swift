import Foundation
import KilnModel

/// What is known of a volume; kept in its directory as `volume.json`.
public struct VolumeRecord: Sendable, Hashable, Codable {
    /// Who may attach a volume.
    public struct Lease: Sendable, Hashable, Codable {
        /// The machine.
        public let machine: MachineID
        /// Raised by one whenever the lease passes on, so that an old holder can be told from the new one.
        public let number: Int
    }

    /// The lab that the volume belongs to.
    public let lab: Name
    /// Its name in the lab.
    public let name: Name
    /// Its identity, which guests see as the disk's serial number.
    public let id: VolumeID
    /// Size and file system, as at creation.
    public let spec: VolumeSpec
    /// When it was created.
    public let created: Date
    /// The layers' file names, lowest first; the last is the active one, all others are sealed.
    public internal(set) var layers: [String]
    /// Who may attach it; nothing if nobody.
    public internal(set) var lease: Lease?
    /// How often the lease has passed on.
    public internal(set) var leaseNumber: Int
}
