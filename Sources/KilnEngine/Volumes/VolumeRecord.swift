import Foundation
import KilnModel
import KilnSystem

/// What is known of a volume; kept in its directory as `volume.json`.
public struct VolumeRecord: Sendable, Hashable, Codable {
    /// Who may attach a volume.
    public struct Lease: Sendable, Hashable, Codable {
        /// The machine.
        public let machine: MachineID
        /// Raised by one whenever the lease passes on, so that an old holder can be told from the new one.
        public let number: Int
    }

    /// The last return to a snapshot.
    public struct Restoration: Sendable, Hashable, Codable {
        /// The snapshot's name.
        public let snapshot: Name
        /// The name among the retained volumes of the state that was discarded.
        public let kept: String
    }

    /// The lab that the volume belongs to.
    public internal(set) var lab: Name
    /// Its name in the lab.
    public internal(set) var name: Name
    /// Its identity, which guests see as the disk's serial number.
    public let id: VolumeID
    /// Size and file system; the size follows when the volume is grown, or goes back to a smaller snapshot.
    public internal(set) var spec: VolumeSpec
    /// When it was created.
    public let created: Date
    /// The layers' file names, lowest first; the last is the active one, all others are sealed.
    public internal(set) var layers: [String]
    /// Who may attach it; nothing if nobody.
    public internal(set) var lease: Lease?
    /// How often the lease has passed on.
    public internal(set) var leaseNumber: Int
    /// The states that it can return to, oldest first.
    public internal(set) var snapshots: [VolumeSnapshot] = []
    /// The layer below the active one, while a running machine may still write to it: it was told to move to the active
    /// one, which is empty, but nobody has seen that it did.
    public internal(set) var unconfirmed: String?
    /// Whether a machine lost its power with the volume mounted, and nobody has checked it since.
    public internal(set) var isUnclean = false
    /// The last return to a snapshot, so that it isn't done twice for one reason.
    public internal(set) var restoration: Restoration?
    /// The server of the rehearsal that it was made for, with which it goes; nothing for every volume of a user.
    public internal(set) var rehearsal: MemberID?
    /// Whether a run of a scenario set it aside: then it goes when those are pruned.
    public internal(set) var isOfRun = false
    /// What tells its file system from one that a guest makes in its place; nothing where an older Kiln made it and no
    /// machine was started with it since.
    var mark: VolumeMark?
    /// The UUID of a file system that was imported, which its clones have, too; nothing where Kiln made it.
    var fileSystemID: UUID?
    /// The layer below the first that got a mark, where that was not the lowest.
    var unmarked: String?
    /// Whether a machine has had the active layer, or may have: then it is sealed before the next one gets the volume.
    var isUsed = true
    /// The snapshot from before a guest formatted it, to which it can return; nothing where no guest did.
    public internal(set) var reformatted: Name?
    /// Whether it is another member's data still: what has to be done in a copy before it is served from has not been done.
    public internal(set) var isCopy = false
    /// In which format it is written.
    var format = RecordFormat()
}

extension VolumeRecord {
    /// Decodes a record; one that an older Kiln wrote has only the layers to tell of its snapshots.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        // First of all: what a later version wrote need not have what follows.
        _ = try values.decodeIfPresent(RecordFormat.self, forKey: .format)
        lab = try values.decode(Name.self, forKey: .lab)
        name = try values.decode(Name.self, forKey: .name)
        id = try values.decode(VolumeID.self, forKey: .id)
        spec = try values.decode(VolumeSpec.self, forKey: .spec)
        created = try values.decode(Date.self, forKey: .created)
        layers = try values.decode([String].self, forKey: .layers)
        lease = try values.decodeIfPresent(Lease.self, forKey: .lease)
        leaseNumber = try values.decode(Int.self, forKey: .leaseNumber)
        snapshots =
            try values.decodeIfPresent([VolumeSnapshot].self, forKey: .snapshots) ?? VolumeRecord.seals(in: layers)
        unconfirmed = try values.decodeIfPresent(String.self, forKey: .unconfirmed)
        isUnclean = try values.decodeIfPresent(Bool.self, forKey: .isUnclean) ?? false
        restoration = try values.decodeIfPresent(Restoration.self, forKey: .restoration)
        rehearsal = try values.decodeIfPresent(MemberID.self, forKey: .rehearsal)
        isOfRun = try values.decodeIfPresent(Bool.self, forKey: .isOfRun) ?? false
        mark = try values.decodeIfPresent(VolumeMark.self, forKey: .mark)
        fileSystemID = try values.decodeIfPresent(UUID.self, forKey: .fileSystemID)
        unmarked = try values.decodeIfPresent(String.self, forKey: .unmarked)
        isUsed = try values.decodeIfPresent(Bool.self, forKey: .isUsed) ?? true
        reformatted = try values.decodeIfPresent(Name.self, forKey: .reformatted)
        isCopy = try values.decodeIfPresent(Bool.self, forKey: .isCopy) ?? false
        guard layers.allSatisfy(VolumeRecord.isLayerName), Set(layers).count == layers.count, !layers.isEmpty else {
            throw DecodingError.dataCorruptedError(
                forKey: .layers,
                in: values,
                debugDescription: "not the names of layers, each once"
            )
        }
    }

    /// The snapshots that the names of layers tell of: replacements name the layer that they put on top.
    private static func seals(in layers: [String]) -> [VolumeSnapshot] {
        zip(layers, layers.dropFirst()).compactMap { below, layer in
            guard layer.hasPrefix("before-"), let name = try? Name(String(layer.dropLast(".qcow2".count))) else {
                return nil
            }
            return VolumeSnapshot(name: name, layer: below, taken: nil, consistency: .clean, kind: .replacement)
        }
    }

    // The names become paths below the volume's directory.
    private static func isLayerName(_ text: String) -> Bool {
        text.hasSuffix(".qcow2") && !text.hasPrefix(".") && !text.contains("/") && text.utf8.count <= 80
    }

    /// The layers of a snapshot, lowest first; nothing where the volume has no such snapshot.
    func layers(of snapshot: VolumeSnapshot) -> [String]? {
        layers.firstIndex(of: snapshot.layer).map { Array(layers[...$0]) }
    }

    /// `lab/name`.
    var title: String { "\(lab)/\(name)" }

    /// The state below the active layer as a snapshot of now.
    func snapshot(
        _ name: Name,
        layer: String,
        kind: VolumeSnapshot.Kind,
        consistency: VolumeSnapshot.Consistency? = nil
    ) -> VolumeSnapshot {
        let found = consistency ?? (isUnclean ? .crashConsistent : .clean)
        return VolumeSnapshot(name: name, layer: layer, taken: Date(), consistency: found, kind: kind)
    }
}
