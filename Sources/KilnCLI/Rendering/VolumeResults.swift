import Foundation
import KilnEngine
import KilnModel

/// A volume with its snapshots.
struct VolumeView: Renderable {
    let volume: VolumeRecord
    /// The snapshot of what it held before a guest formatted it.
    let reformatted: Name?

    init(volume: VolumeRecord, reformatted: Name? = nil) {
        self.volume = volume
        self.reformatted = reformatted ?? volume.reformatted
    }

    struct Snapshot: Encodable {
        let name: Name
        let kind: VolumeSnapshot.Kind
        let consistency: VolumeSnapshot.Consistency
        let taken: Date?

        init(_ snapshot: VolumeSnapshot) {
            name = snapshot.name
            kind = snapshot.kind
            consistency = snapshot.consistency
            taken = snapshot.taken
        }
    }

    struct Payload: Encodable {
        let lab: Name
        let name: Name
        let id: VolumeID
        let size: ByteCount
        let filesystem: VolumeSpec.FileSystem
        let created: Date
        let holder: String?
        let unclean: Bool
        let reformatted: Bool
        let layers: Int
        let snapshots: [Snapshot]
    }

    var payload: Payload {
        Payload(
            lab: volume.lab,
            name: volume.name,
            id: volume.id,
            size: volume.spec.size,
            filesystem: volume.spec.fileSystem,
            created: volume.created,
            holder: volume.lease?.machine.description,
            unclean: volume.isUnclean,
            reformatted: reformatted != nil,
            layers: volume.layers.count,
            snapshots: volume.snapshots.map(Snapshot.init)
        )
    }

    var human: HumanView {
        let holder = volume.lease.map { ", attached to \($0.machine)" } ?? ""
        let unclean = volume.isUnclean ? ", not checked since a machine lost its power" : ""
        let head = "\(volume.lab)/\(volume.name): \(volume.spec.size), \(volume.spec.fileSystem.rawValue)"
        let table = TextTable(
            header: ["snapshot", "kind", "consistency", "taken"],
            rows: volume.snapshots.map {
                [
                    $0.name.text, $0.kind.rawValue, $0.consistency.rawValue,
                    $0.taken.map { $0.formatted(.iso8601) } ?? "-",
                ]
            }
        )
        let formatted = reformatted.map { ", formatted by a guest: return to \($0)" } ?? ""
        return .lines([head + holder + unclean + formatted] + (table.rows.isEmpty ? ["no snapshots"] : table.lines))
    }
}

/// A snapshot that was taken or forgotten.
struct SnapshotResult: Renderable {
    let volume: VolumePath
    let snapshot: VolumeSnapshot
    let isRemoved: Bool

    struct Payload: Encodable {
        let volume: String
        let snapshot: VolumeView.Snapshot
        let removed: Bool
    }

    var payload: Payload {
        Payload(volume: volume.description, snapshot: VolumeView.Snapshot(snapshot), removed: isRemoved)
    }

    var human: HumanView {
        if isRemoved { return .lines(["\(snapshot.name) of \(volume) is forgotten"]) }
        return .lines([
            "\(volume) can return to \(snapshot.name), which is \(snapshot.consistency.rawValue)",
            "next: 'kiln volume restore \(volume) \(snapshot.name)' while it is not in use",
        ])
    }
}

/// A volume that was returned to a snapshot.
struct RestoredVolume: Renderable {
    let volume: VolumePath
    let snapshot: String
    let discarded: String

    struct Payload: Encodable {
        let volume: String
        let snapshot: String
        let discarded: String
    }

    var payload: Payload { Payload(volume: volume.description, snapshot: snapshot, discarded: discarded) }

    var human: HumanView {
        .lines([
            "\(volume) is as it was at \(snapshot)", "retained: the state before, as \(discarded)",
            "next: 'kiln volume undelete \(discarded) \(volume.lab)/NAME' makes a volume of it, "
                + "'kiln volume purge \(discarded)' removes it",
        ])
    }
}

/// A clone.
struct CloneResult: Renderable {
    let source: VolumePath
    let clone: ClonedVolume

    struct Payload: Encodable {
        let volume: String
        let clone: String
        let id: VolumeID
        let consistency: VolumeSnapshot.Consistency
    }

    private var name: String { "\(clone.volume.lab)/\(clone.volume.name)" }

    var payload: Payload {
        Payload(volume: source.description, clone: name, id: clone.volume.id, consistency: clone.consistency)
    }

    var human: HumanView {
        .lines([
            "\(name) is a clone of \(source), which is \(clone.consistency.rawValue)",
            "next: declare it in the lab file with 'size: \(clone.volume.spec.size)'",
        ])
    }
}

/// A file that a volume was written to.
struct ExportResult: Renderable {
    let volume: VolumePath
    let file: String
    let format: DiskFormat
    let consistency: VolumeSnapshot.Consistency

    struct Payload: Encodable {
        let volume: String
        let file: String
        let format: DiskFormat
        let consistency: VolumeSnapshot.Consistency
    }

    var payload: Payload {
        Payload(volume: volume.description, file: file, format: format, consistency: consistency)
    }

    var human: HumanView {
        .lines(["\(volume) is in \(file), \(format.rawValue), which is \(consistency.rawValue)"])
    }
}

/// What a check found, and what became of it.
struct CheckResult: Renderable {
    let check: VolumeCheck

    struct Payload: Encodable {
        let volume: String
        let result: String
        let code: String?
        let words: [String]
        let repaired: Bool
        let snapshot: Name?
    }

    /// Damage that was not repaired is an unmet expectation, and so is what can't be judged.
    var exit: KilnModel.ExitCode { check.finding.isSound || check.repaired != nil ? .done : .unmet }

    var payload: Payload {
        Payload(
            volume: volume,
            result: result,
            code: code?.rawValue,
            words: words,
            repaired: check.repaired != nil,
            snapshot: check.repaired?.name
        )
    }

    var human: HumanView {
        switch check.finding {
        case .clean: .lines(["\(volume) is clean"])
        case .replayed: .lines(["\(volume) is sound: its journal is replayed at the next mount"])
        case .damaged:
            .lines(
                ["\(volume) is damaged\(check.repaired == nil ? "" : ", and was repaired")"]
                    + words.map { "  e2fsck: \(ConsoleText.singleLine($0))" } + next
            )
        case .newer(_, let program):
            .lines([
                "\(volume) can't be judged: its file system is newer than the tools of this host",
                "  \(program) does not know \(ConsoleText.singleLine(words.joined(separator: ", ")))",
                "next: check it on a host with a newer e2fsprogs: 'kiln volume export \(volume) FILE'",
            ])
        }
    }

    private var code: ErrorCode? {
        guard exit == .unmet else { return nil }
        if case .newer = check.finding { return .volumeNewerFeatures }
        return .volumeDamaged
    }

    private var next: [String] {
        guard let snapshot = check.repaired else {
            return [
                "next: 'kiln volume check \(volume) --repair', or return to a snapshot: 'kiln volume show \(volume)'"
            ]
        }
        return ["the state before is kept as the snapshot \(snapshot.name)"]
    }

    private var volume: String { "\(check.lab)/\(check.name)" }

    private var result: String {
        switch check.finding {
        case .clean: "clean"
        case .replayed: "replayed"
        case .damaged: "damaged"
        case .newer: "newer"
        }
    }

    private var words: [String] {
        switch check.finding {
        case .clean, .replayed: []
        case .damaged(let words): words
        case .newer(let features, _): features
        }
    }
}

/// A volume that was retained or removed.
struct DeletedVolume: Renderable {
    let volume: String
    let retainedAs: String?

    struct Payload: Encodable {
        let volume: String
        let retainedAs: String?

        enum CodingKeys: String, CodingKey {
            case volume
            case retainedAs = "retained_as"
        }
    }

    var payload: Payload { Payload(volume: volume, retainedAs: retainedAs) }

    var human: HumanView {
        guard let retainedAs else { return .lines(["\(volume) is removed for good"]) }
        return .lines([
            "\(volume) is retained as \(retainedAs)",
            "next: 'kiln volume undelete \(retainedAs)' brings it back, 'kiln volume purge \(retainedAs)' removes it",
        ])
    }
}
