import Foundation
import KilnEngine
import KilnModel

/// Volumes as a listing.
struct VolumeList: Renderable {
    let volumes: [VolumeRecord]
    let retained: [RetainedVolume]

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

        enum CodingKeys: String, CodingKey {
            case volumes, retained
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
            }
        )
    }

    var human: HumanView {
        let live = volumes.map {
            [
                "\($0.lab)/\($0.name)", $0.spec.size.description, $0.spec.fileSystem.rawValue,
                $0.lease?.machine.description ?? "-",
            ]
        }
        return .table(
            TextTable(
                header: ["volume", "size", "filesystem", "writer"],
                rows: live
                    + retained.map {
                        let spec = $0.record?.spec
                        return [
                            $0.kept, spec?.size.description ?? "-", spec?.fileSystem.rawValue ?? "-",
                            $0.isDiscarded ? "discarded" : "retained",
                        ]
                    }
            ),
            empty: "no volumes"
        )
    }
}
