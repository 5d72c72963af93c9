import Foundation
import KilnEngine
import KilnModel

/// Volumes as a listing.
struct VolumeList: Renderable {
    let volumes: [VolumeRecord]
    let retained: [String]

    struct Payload: Encodable {
        struct Item: Encodable {
            let lab: Name
            let name: Name
            let id: VolumeID
            let size: ByteCount
            let filesystem: VolumeSpec.FileSystem
            let created: Date
            let holder: String?
        }

        let volumes: [Item]
        let retained: [String]
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
                    holder: $0.lease?.machine.description
                )
            },
            retained: retained
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
                rows: live + retained.map { [$0, "-", "-", "retained"] }
            ),
            empty: "no volumes"
        )
    }
}
