import KilnModel

/// Images as a listing.
struct ImageList: Renderable {
    let images: [ImageManifest]

    struct Payload: Encodable {
        struct Item: Encodable {
            let name: Name
            let version: String
            let digest: ImageDigest
            let parent: ImageDigest?
            let bytes: UInt64
            let memory: ByteCount
            let processors: Int
            let ssh: Bool
            let packages: [ImageManifest.Package]
        }

        let images: [Item]
    }

    var payload: Payload {
        Payload(
            images: images.map {
                Payload.Item(
                    name: $0.name,
                    version: $0.version,
                    digest: $0.digest,
                    parent: $0.parent,
                    bytes: $0.virtualSize.bytes,
                    memory: $0.size.memory,
                    processors: $0.size.processors,
                    ssh: $0.ssh,
                    packages: $0.packages
                )
            }
        )
    }

    var human: HumanView {
        let rows = images.map {
            ["\($0.name):\($0.version)", $0.digest.short, $0.virtualSize.description, $0.size.memory.description]
        }
        return .table(
            TextTable(header: ["image", "digest", "disk", "memory"], rows: rows),
            empty: "no images; bake one with 'kiln image bake tiny'"
        )
    }
}
