import Foundation
import KilnModel
import KilnSystem

/// The sealed images of this host.
///
/// ```
/// sha256/DIGEST/disk.qcow2, kernel, initrd, paths, manifest.json
///                                                           sealed, mode 0444; never changed once named
/// names/NAME/VERSION                                        the digest of that version
/// stamps/DIGEST.json                                        inodes at the last full verification
/// work/ID/                                                  bakes and additions under way; each holds a lock
/// downloads/                                                what was fetched from servers, and is kept for another time
/// lock                                                      shared by those who need an image; see `ImageLock`
/// ```
///
/// An image is named by the sha256 of its disk. The manifest holds the digests of the other files, so that one full
/// verification covers every file that a machine boots from. Many processes may use one store: a content folder appears
/// complete, by a rename, and a name changes by a rename.
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

    /// The image that `reference` names.
    ///
    /// Its content is not looked at; see ``verifiedImage(_:)``.
    ///
    /// - Throws: `KilnError` with code `image.missing` or `image.manifest-damaged`.
    public func resolve(_ reference: ImageReference) throws -> StoredImage {
        let versions = try versions(of: reference.name)
        let found: (version: String, digest: ImageDigest)? =
            switch reference.selector {
            case .latest: versions.last
            case .version(let version): versions.last { $0.version == version }
            case .digest(let digest): versions.last { $0.digest == digest }
            }
        guard let found else { throw missing(reference, known: versions.map(\.version)) }
        return try image(found.digest, as: reference.name, version: found.version)
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

    /// Removes the name that `reference` resolves to, and the content if no other name has it.
    ///
    /// Whether machines still stand on the image is for the caller to ask before.
    /// - Throws: `KilnError` with code `image.missing`.
    /// - Returns: what was removed.
    @discardableResult
    public func remove(_ reference: ImageReference) throws -> StoredImage {
        let image = try resolve(reference)
        let manifest = image.manifest
        try unlinkName("\(names(manifest.name))/\(manifest.version)")
        rmdir(names(manifest.name))
        guard try !list().contains(where: { $0.manifest.digest == manifest.digest }) else { return image }
        // The rename takes the content away at once; the rest is only tidying.
        try DurableFile.makeDirectory(work)
        let grave = "\(work)/removed-\(UUID().uuidString)"
        try DurableFile.rename(content(manifest.digest), to: grave)
        unlink(stamp(manifest.digest))
        try? FileManager.default.removeItem(atPath: grave)
        return image
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
        let folder = content(digest)
        let manifest: ImageManifest
        do {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(ImageStore.manifestName)"))
            manifest = try JSONDecoder().decode(ImageManifest.self, from: bytes)
        } catch {
            throw damagedManifest(name, version, digest, cause: "\(error)")
        }
        guard manifest.digest == digest else {
            throw damagedManifest(name, version, digest, cause: "it says \(manifest.digest)")
        }
        return StoredImage(
            manifest: manifest.named(name, version: version),
            disk: "\(folder)/\(ImageStore.diskName)",
            kernel: manifest.files["kernel"] == nil ? nil : "\(folder)/kernel",
            initrd: manifest.files["initrd"] == nil ? nil : "\(folder)/initrd",
            paths: manifest.files[ImageStore.pathsName] == nil ? nil : "\(folder)/\(ImageStore.pathsName)"
        )
    }

    private func children(of folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }

    private func unlinkName(_ path: String) throws {
        guard unlink(path) == 0 else { throw FileError.failed(.fileUnwritable, "remove", path) }
        try DurableFile.synchronize(URL(fileURLWithPath: path).deletingLastPathComponent().path)
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
