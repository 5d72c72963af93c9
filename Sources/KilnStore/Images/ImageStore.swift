import Foundation
import KilnModel
import KilnSystem

/// The sealed images of this host.
///
/// ```
/// sha256/DIGEST/disk.qcow2, kernel, initrd, paths, manifest.json
///                                                           mode 0444; once named, only the manifest is written anew:
///                                                           tests, settings, and where its listing is added
/// names/NAME/VERSION                                        the digest of that version
/// attestations/DIGEST/SUITE.json                            what its tests found; outlives the image
/// configurations/CONFIGURATION/DIGEST.json                  with which image a server's configuration passed
/// channels/NAME/CHANNEL.json                                what a channel points to, and pointed to before
/// revoked/DIGEST.json                                       tombstones; outlive the image
/// stamps/DIGEST.json                                        inodes at the last full verification
/// work/ID/                                                  bakes and additions under way; each holds a lock
/// downloads/                                                what was fetched from servers, and is kept for another time
/// lock                                                      shared by those who need an image; see `ImageLock`
/// ```
///
/// An image is named by the sha256 of its disk. The manifest holds the digests of the other files, so that one full
/// verification covers every file that a machine boots from. Many processes may use one store: a content folder appears
/// complete, by a rename, and a name changes by a rename. What is said of an image lies outside its sealed folder.
public struct ImageStore: Sendable {
    /// The store's folder.
    public let root: String

    /// A store at `root`, which need not exist yet.
    public init(root: String) { self.root = root }

    /// What the disk of every image is called.
    package static let diskName = "disk.qcow2"
    /// The listing of the root file system, which drift is measured against; see `RootListing`.
    package static let pathsName = "paths"
    static let manifestName = "manifest.json"

    func content(_ digest: ImageDigest) -> String { "\(root)/sha256/\(digest.hex)" }
    func names(_ name: Name) -> String { "\(root)/names/\(name)" }
    func stamp(_ digest: ImageDigest) -> String { "\(root)/stamps/\(digest.hex).json" }
    package var work: String { root + "/work" }

    /// The image that `reference` names, to be made use of: what a channel points to has passed its tests and is not revoked.
    ///
    /// Its content is not looked at; see ``verifiedImage(_:for:)``.
    ///
    /// - Throws: `KilnError` as ``find(_:)``, and with code `image.revoked` or `image.not-attested`.
    public func resolve(_ reference: ImageReference) throws -> StoredImage {
        guard case .channel = reference.selector else { return try find(reference) }
        return try usable(reference)
    }

    /// The image that `reference` names, to be looked at, whatever is said of it.
    ///
    /// - Throws: `KilnError` with code `image.missing`, `image.channel-missing` or `image.manifest-damaged`.
    public func find(_ reference: ImageReference) throws -> StoredImage {
        let versions = try versions(of: reference.name)
        switch reference.selector {
        case .latest:
            if let found = versions.last { return try image(found.digest, as: reference.name, version: found.version) }
        case .version(let version):
            if let found = versions.last(where: { $0.version == version }) {
                return try image(found.digest, as: reference.name, version: version)
            }
        case .channel(let channel):
            let target = try target(of: channel, image: reference.name)
            if let found = try image(target.digest, of: reference.name, versions) { return found }
        case .digest(let digest):
            if let found = try image(digest, of: reference.name, versions) { return found }
        }
        throw missing(reference, known: versions.map(\.version))
    }

    // A version that was baked again leaves content without a name, which servers and channels may still need.
    private func image(
        _ digest: ImageDigest,
        of name: Name,
        _ versions: [(version: String, digest: ImageDigest)]
    ) throws -> StoredImage? {
        if let found = versions.last(where: { $0.digest == digest }) {
            return try image(digest, as: name, version: found.version)
        }
        let unnamed = try? image(unnamed: digest)
        return unnamed?.manifest.name == name ? unnamed : nil
    }

    /// All images by name, then by version, oldest first.
    ///
    /// One that was given several names appears under each.
    ///
    /// - Throws: `KilnError` with code `image.manifest-damaged`.
    public func list() throws -> [StoredImage] {
        try children(of: root + "/names").compactMap { try? Name($0) }.sorted().flatMap { name in
            try versions(of: name).map { try image($0.digest, as: name, version: $0.version) }
        }
    }

    package func versions(of name: Name) throws -> [(version: String, digest: ImageDigest)] {
        children(of: names(name)).filter(ImageReference.acceptsVersion)
            .compactMap { version in
                FileManager.default.contents(atPath: "\(names(name))/\(version)")
                    .map { String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines) }
                    .flatMap { ImageDigest($0) }.map { (version, $0) }
            }
            .sorted { VersionOrder.isOlder($0.version, $1.version) }
    }

    package func image(_ digest: ImageDigest, as name: Name, version: String) throws -> StoredImage {
        do {
            return stored(try manifest(digest).named(name, version: version))
        } catch {
            throw damagedManifest(name, version, digest, cause: "\(error)")
        }
    }

    /// An image under the name that it was sealed with, which may lead to another one by now.
    func image(unnamed digest: ImageDigest) throws -> StoredImage { stored(try manifest(digest)) }

    private func manifest(_ digest: ImageDigest) throws -> ImageManifest {
        let path = "\(content(digest))/\(ImageStore.manifestName)"
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        let manifest = try JSONDecoder().decode(ImageManifest.self, from: bytes)
        guard manifest.digest == digest else { throw OtherImage(digest: manifest.digest) }
        return manifest
    }

    private func stored(_ manifest: ImageManifest) -> StoredImage {
        let folder = content(manifest.digest)
        func path(_ file: String) -> String? { manifest.files[file] == nil ? nil : "\(folder)/\(file)" }
        return StoredImage(
            manifest: manifest,
            disk: "\(folder)/\(ImageStore.diskName)",
            kernel: path("kernel"),
            initrd: path("initrd"),
            paths: path(ImageStore.pathsName)
        )
    }

    func children(of folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }

    private func missing(_ reference: ImageReference, known: [String]) -> KilnError {
        let versions = known.isEmpty ? "no image of that name" : "versions \(known.joined(separator: ", "))"
        return KilnError(
            .imageMissing,
            "the image \(reference) is not in the store: it has \(versions)",
            hint: "bake it with 'kiln image bake \(reference.name)' or add a file with 'kiln image add'",
            exit: .invalidFile
        )
    }

    private func damagedManifest(_ name: Name, _ version: String, _ digest: ImageDigest, cause: String) -> KilnError {
        KilnError(
            .imageManifestDamaged,
            "the manifest of the image \(name):\(version) (\(digest.short)) can't be read",
            hint: "remove \(content(digest)) and bake or add the image again",
            cause: cause
        )
    }
}

/// A manifest is that of another image.
private struct OtherImage: Error, CustomStringConvertible {
    let digest: ImageDigest
    var description: String { "it says \(digest)" }
}

extension ImageManifest {
    /// The same content under another name: an image may have several.
    func named(_ name: Name, version: String) -> ImageManifest {
        var manifest = self
        (manifest.name, manifest.version) = (name, version)
        return manifest
    }

    /// The same image with another file beside its disk.
    func adding(_ file: String, _ digest: ImageDigest) -> ImageManifest {
        var manifest = self
        manifest.files[file] = digest
        return manifest
    }
}
