import KilnModel
import KilnStore

/// Images as a listing.
struct ImageList: Renderable {
    let images: [ImageManifest]
    /// What is said of them, where that was asked.
    var catalog: ImageCatalog?

    /// An image, and what is said of it.
    struct Item: Encodable {
        let name: Name
        let version: String
        let digest: ImageDigest
        let parent: ImageDigest?
        let bytes: UInt64
        let memory: ByteCount
        let processors: Int
        let boot: String
        let firmware: [ImageManifest.Firmware]?
        let ssh: Bool
        let state: String?
        let tests: TestVerdict?
        let revoked: String?
        let channels: [Name]?
        let packages: [ImageManifest.Package]

        init(_ image: ImageManifest, _ standing: ImageStanding?) {
            name = image.name
            version = image.version
            digest = image.digest
            parent = image.parent
            bytes = image.virtualSize.bytes
            memory = image.size.memory
            processors = image.size.processors
            boot = image.boot.word
            firmware = image.firmware
            ssh = image.ssh
            state = standing?.word
            tests = standing?.verdict
            revoked = standing?.revocation?.why
            channels = standing?.channels
            packages = image.packages
        }
    }

    struct Payload: Encodable {
        let images: [Item]
    }

    var payload: Payload { Payload(images: images.map { Item($0, catalog?.standing(of: $0)) }) }

    var human: HumanView {
        let header = ["image", "digest", "disk", "memory", "boots"] + (catalog == nil ? [] : ["state", "channels"])
        return .table(
            TextTable(header: header, rows: images.map(row)),
            empty: "no images; bake one with 'kiln image bake tiny'"
        )
    }

    private func row(_ image: ImageManifest) -> [String] {
        let fixed = [
            image.title, image.digest.short, image.virtualSize.description, image.size.memory.description,
            image.boots,
        ]
        guard let standing = catalog?.standing(of: image) else { return fixed }
        let channels = standing.channels.map(\.text).joined(separator: ", ")
        return fixed + [standing.word, channels.isEmpty ? "-" : channels]
    }
}

extension ImageManifest {
    /// How it is booted, and with a `+` what else could start its disk: `uefi+bios`.
    var boots: String {
        ([boot.word] + (firmware ?? []).map(\.rawValue).filter { $0 != boot.word }).joined(separator: "+")
    }
}

extension ImageManifest.Boot {
    /// `direct`, `bios` or `uefi`.
    var word: String {
        switch self {
        case .direct: "direct"
        case .firmware(let firmware): firmware.rawValue
        }
    }
}
