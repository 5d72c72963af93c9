import Foundation
import KilnEngine
import KilnModel

/// Volumes as a listing.
struct VolumeList: Renderable {
    let volumes: [VolumeRecord]
    let retained: [RetainedVolume]
    /// Those that guests have formatted, with the snapshot of what they held before.
    let reformatted: [VolumeID: Name]
    /// What is wrong with those that can't be shown, or not be judged.
    var problems: [String] = []

    struct Payload: Encodable {
        struct Item: Encodable {
            let lab: Name
            let name: Name
            let id: VolumeID
            let size: ByteCount
            let filesystem: VolumeSpec.FileSystem
            let created: Date
            let holder: String?
            let unclean: Bool
            let reformatted: Bool
            let snapshots: [VolumeView.Snapshot]
        }

        struct Kept: Encodable {
            let kept: String
            let volume: String?
            let size: ByteCount?
            let discarded: Bool
        }

        let volumes: [Item]
        let retained: [String]
        let retainedVolumes: [Kept]
        let problems: [String]

        enum CodingKeys: String, CodingKey {
            case volumes, retained, problems
            case retainedVolumes = "retained_volumes"
        }
    }

    var payload: Payload {
        Payload(
            volumes: volumes.map {
                Payload.Item(
                    lab: $0.lab,
                    name: $0.name,
                    id: $0.id,
                    size: $0.spec.size,
                    filesystem: $0.spec.fileSystem,
                    created: $0.created,
                    holder: $0.lease?.machine.description,
                    unclean: $0.isUnclean,
                    reformatted: reformatted[$0.id] != nil,
                    snapshots: $0.snapshots.map(VolumeView.Snapshot.init)
                )
            },
            retained: retained.map(\.kept),
            retainedVolumes: retained.map { kept in
                Payload.Kept(
                    kept: kept.kept,
                    volume: kept.record.map { "\($0.lab)/\($0.name)" },
                    size: kept.record?.spec.size,
                    discarded: kept.isDiscarded
                )
            },
            problems: problems
        )
    }

    /// What to do about the volumes that guests have formatted, a line each.
    var warnings: [String] {
        volumes.compactMap { volume in
            guard let snapshot = reformatted[volume.id] else { return nil }
            let title = "\(volume.lab)/\(volume.name)"
            return
                "a guest has formatted volume \(title); what it held before: 'kiln volume restore \(title) \(snapshot)' while "
                + "it is not in use"
        }
    }

    private func state(_ volume: VolumeRecord) -> String {
        if reformatted[volume.id] != nil { return "reformatted" }
        return volume.isUnclean ? "unclean" : "-"
    }

    var human: HumanView {
        let live = volumes.map {
            [
                "\($0.lab)/\($0.name)", $0.spec.size.description, $0.spec.fileSystem.rawValue,
                $0.lease?.machine.description ?? "-", state($0),
            ]
        }
        return .table(
            TextTable(
                header: ["volume", "size", "filesystem", "writer", "state"],
                rows: live
                    + retained.map {
                        let spec = $0.record?.spec
                        return [
                            $0.kept, spec?.size.description ?? "-", spec?.fileSystem.rawValue ?? "-", "-",
                            $0.isDiscarded ? "retained by a restore" : "retained",
                        ]
                    }
            ),
            empty: "no volumes"
        )
    }
}
