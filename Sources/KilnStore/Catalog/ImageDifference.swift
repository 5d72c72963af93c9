import Foundation
import KilnModel
import KilnSystem

/// In what two images differ.
public struct ImageDifference: Sendable, Hashable {
    /// Packages that differ, by name.
    public let packages: [DriftReport.PackageChange]
    /// Paths that differ; nothing where one of the images has no listing of its root.
    public let paths: RootDifference?
    /// The images without a listing, as `NAME:VERSION`.
    public let unlisted: [String]

    /// Whether they are known to be the same.
    public var isNone: Bool {
        guard let paths else { return false }
        return packages.isEmpty && paths.added.isEmpty && paths.modified.isEmpty && paths.deleted.isEmpty
    }
}

extension ImageStore {
    /// Compares two images: their packages, then the paths of their roots.
    ///
    /// - Throws: `KilnError` as ``verifiedImage(_:for:)``, and with code `drift.listing-damaged`.
    public func difference(from old: ImageReference, to new: ImageReference) async throws -> ImageDifference {
        let old = try await verifiedImage(old, for: .existing)
        let new = try await verifiedImage(new, for: .existing)
        if old.manifest.digest == new.manifest.digest {
            return ImageDifference(packages: [], paths: RootDifference(), unlisted: [])
        }
        return try await BlockingWork.run {
            let unlisted = [old, new].filter { $0.paths == nil }.map(\.manifest.title)
            guard let before = try old.listing(), let after = try new.listing() else {
                return ImageDifference(
                    packages: RootDifference(from: old.packages, to: new.packages).packages,
                    paths: nil,
                    unlisted: unlisted
                )
            }
            let difference = RootDifference(from: before, to: after)
            return ImageDifference(packages: difference.packages, paths: difference, unlisted: unlisted)
        }
    }
}

extension StoredImage {
    fileprivate func listing() throws -> RootListing? {
        try paths.map { try RootListing(try Data(contentsOf: URL(fileURLWithPath: $0)), of: manifest.title) }
    }

    // A listing of nothing but what the manifest says.
    fileprivate var packages: RootListing {
        let versions = manifest.packages.map { ($0.name, $0.version) }
        return RootListing(entries: [:], packages: Dictionary(versions) { _, last in last })
    }
}
