import KilnBakery
import KilnEngine
import KilnModel
import KilnStore

/// In what two images differ.
struct ImageDifferenceView: Renderable {
    let from: String
    let to: String
    let difference: ImageDifference

    struct Payload: Encodable {
        let from: String
        let to: String
        let same: Bool
        let packages: [DriftReport.PackageChange]
        let added: [RootPath]
        let modified: [DriftReport.Modification]
        let deleted: [RootPath]
        let unlisted: [String]
    }

    var payload: Payload {
        let paths = difference.paths ?? RootDifference()
        return Payload(
            from: from,
            to: to,
            same: difference.isNone,
            packages: difference.packages,
            added: paths.added,
            modified: paths.modified,
            deleted: paths.deleted,
            unlisted: difference.unlisted
        )
    }

    var human: HumanView {
        if difference.isNone { return .lines(["\(from) and \(to) have the same packages and paths"]) }
        let packages = DifferenceLines.packages(difference.packages)
        guard let paths = difference.paths else {
            let names = difference.unlisted.joined(separator: " and of ")
            return .lines(packages + ["paths can't be compared: there is no listing of \(names)"])
        }
        return .lines(
            packages
                + DifferenceLines.paths(added: paths.added, modified: paths.modified, deleted: paths.deleted)
        )
    }
}

/// The bill of materials of an image; JSON for people, too, since nobody else reads it.
struct BillOfMaterials: Renderable {
    let document: SPDXDocument

    var payload: SPDXDocument { document }
    var human: HumanView { .text((try? Renderer.json(document)) ?? "") }
}

/// What the store takes on its disk.
struct StoreUsageView: Renderable {
    let usage: StoreUsage

    struct Payload: Encodable {
        let images: [StoreUsage.Image]
        let folders: [StoreUsage.Folder]
        let bytes: UInt64
    }

    var payload: Payload { Payload(images: usage.images, folders: usage.folders, bytes: usage.bytes) }

    var human: HumanView {
        let images = usage.images.map { [$0.names.joined(separator: ", "), $0.digest.short, Self.size($0.bytes)] }
        let folders = usage.folders.map { [$0.name + "/", "-", Self.size($0.bytes)] }
        return .table(
            TextTable(
                header: ["what", "digest", "on disk"],
                rows: images + folders + [["all of it", "-", Self.size(usage.bytes)]]
            ),
            empty: ""
        )
    }

    static func size(_ bytes: UInt64) -> String {
        let tenths = (bytes * 10) >> 20
        return "\(tenths / 10).\(tenths % 10) MiB"
    }
}

/// Images that nobody needs, which were removed or would be.
struct PrunedImages: Renderable {
    let images: [ImageManifest]
    let leftovers: [BakeLeftovers.Item]
    let isDryRun: Bool

    struct Payload: Encodable {
        struct Item: Encodable {
            let name: Name
            let version: String
            let digest: ImageDigest
        }

        let images: [Item]
        let leftovers: [BakeLeftovers.Item]
        let bytes: UInt64
        let dryRun: Bool

        enum CodingKeys: String, CodingKey {
            case images, leftovers, bytes
            case dryRun = "dry_run"
        }
    }

    var payload: Payload {
        Payload(
            images: images.map { Payload.Item(name: $0.name, version: $0.version, digest: $0.digest) },
            leftovers: leftovers,
            bytes: leftovers.bytes,
            dryRun: isDryRun
        )
    }

    var human: HumanView {
        if images.isEmpty && leftovers.isEmpty {
            return .lines(["nothing to remove: a server, a channel or another image needs each"])
        }
        let lines = images.map { "\(isDryRun ? "would remove" : "removed") \($0.title)  \($0.digest.short)" }
        return .lines(
            lines + leftovers.lines(isDryRun: isDryRun) + (isDryRun ? ["a dry run: say --yes to remove them"] : [])
        )
    }
}

/// What was removed from the store besides images, or would be.
struct StoreGarbage: Renderable {
    let abandoned: [String]
    let leftovers: [BakeLeftovers.Item]
    let isDryRun: Bool

    struct Payload: Encodable {
        let removed: [String]
        let leftovers: [BakeLeftovers.Item]
        let bytes: UInt64
        let dryRun: Bool

        enum CodingKeys: String, CodingKey {
            case removed, leftovers, bytes
            case dryRun = "dry_run"
        }
    }

    var payload: Payload {
        Payload(removed: abandoned, leftovers: leftovers, bytes: leftovers.bytes, dryRun: isDryRun)
    }

    var human: HumanView {
        if abandoned.isEmpty && leftovers.isEmpty { return .lines(["nothing to remove"]) }
        let verb = isDryRun ? "would remove " : "removed "
        return .lines(abandoned.map { verb + ConsoleText.singleLine($0) } + leftovers.lines(isDryRun: isDryRun))
    }
}

extension [BakeLeftovers.Item] {
    fileprivate var bytes: UInt64 { reduce(0) { $0 + $1.bytes } }

    /// A line for each, and how much all of them take.
    fileprivate func lines(isDryRun: Bool) -> [String] {
        guard !isEmpty else { return [] }
        let verb = isDryRun ? "would remove" : "removed"
        let each = map { ConsoleText.singleLine("\(verb) \($0.path)  \(StoreUsageView.size($0.bytes))") }
        return each + ["\(isDryRun ? "would free" : "freed") \(StoreUsageView.size(bytes))"]
    }
}

/// Who needs an image.
struct ImageNeeds: Renderable {
    let image: ImageManifest
    let servers: [MemberID]
    let needs: [ImageCatalog.Need]

    struct Payload: Encodable {
        let image: String
        let digest: ImageDigest
        let servers: [MemberID]
        let channels: [String]
        let back: [String]
        let children: [String]
    }

    var payload: Payload {
        Payload(
            image: image.title,
            digest: image.digest,
            servers: servers,
            channels: needs.compactMap { if case .channel(let name) = $0 { name } else { nil } },
            back: needs.compactMap { if case .wayBack(let name) = $0 { name } else { nil } },
            children: needs.compactMap { if case .child(let name) = $0 { name } else { nil } }
        )
    }

    var human: HumanView {
        let reasons =
            servers.map { "\($0) has a machine of it" }
            + needs.map { need in
                switch need {
                case .channel(let name): "\(name) points to it"
                case .wayBack(let name): "\(name) would go back to it"
                case .child(let name): "\(name) was made from it"
                }
            }
        let title = "\(image.title) (\(image.digest.short))"
        return .lines(reasons.isEmpty ? ["nobody needs \(title)"] : reasons.map { "\(title): \($0)" })
    }
}

/// A file that an image was written to.
struct ExportedImage: Renderable {
    let image: ImageManifest
    let file: String

    struct Payload: Encodable {
        let image: String
        let digest: ImageDigest
        let file: String
    }

    var payload: Payload { Payload(image: image.title, digest: image.digest, file: file) }
    var human: HumanView {
        .lines([ConsoleText.singleLine("wrote \(image.title) (\(image.digest.short)) to \(file)")])
    }
}
