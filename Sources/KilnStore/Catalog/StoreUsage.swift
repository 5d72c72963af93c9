import Foundation
import KilnModel

/// What the store takes on its disk.
public struct StoreUsage: Sendable, Hashable, Codable {
    /// An image with all its files; one with several names counts once.
    public struct Image: Sendable, Hashable, Codable {
        /// What it is.
        public let digest: ImageDigest
        /// What it is called, as `NAME:VERSION`.
        public let names: [String]
        /// What its files take, in bytes.
        public let bytes: UInt64
    }

    /// Something else that the store keeps.
    public struct Folder: Sendable, Hashable, Codable {
        /// Its name in the store.
        public let name: String
        /// What is in it takes, in bytes.
        public let bytes: UInt64
    }

    /// The images, the largest first.
    public let images: [Image]
    /// Everything else, the largest first; what takes nothing is left out.
    public let folders: [Folder]

    /// All of it, in bytes.
    public var bytes: UInt64 { (images.map(\.bytes) + folders.map(\.bytes)).reduce(0, +) }
}

extension ImageStore {
    /// What the store takes on its disk; holes in files take nothing.
    ///
    /// - Parameter others: what is kept of images elsewhere: folders by the name under which they are told.
    /// - Throws: `KilnError` with code `image.manifest-damaged` or `state.unreadable`.
    public func usage(with others: [String: String] = [:]) throws -> StoreUsage {
        let catalog = try catalog()
        let images = catalog.distinct.map { image in
            StoreUsage.Image(
                digest: image.digest,
                names: catalog.titles(of: image.digest),
                bytes: allocated(content(image.digest))
            )
        }
        let folders =
            children(of: root).map { StoreUsage.Folder(name: $0, bytes: allocated("\(root)/\($0)")) }
            + others.map { StoreUsage.Folder(name: $0, bytes: allocated($1)) }
        let known = images.reduce(0) { $0 + $1.bytes }
        return StoreUsage(
            images: images.sorted { ($1.bytes, $0.digest) < ($0.bytes, $1.digest) },
            folders: folders.map { folder in
                // What lies among the images and is none of them is named as well.
                guard folder.name == "sha256" else { return folder }
                return StoreUsage.Folder(name: "sha256, no image", bytes: folder.bytes - min(known, folder.bytes))
            }
            .filter { $0.bytes > 0 }.sorted { ($1.bytes, $0.name) < ($0.bytes, $1.name) }
        )
    }

    // The blocks of everything below a path; links are not followed.
    private func allocated(_ path: String) -> UInt64 {
        var status = stat()
        guard lstat(path, &status) == 0 else { return 0 }
        guard status.st_mode & S_IFMT == S_IFDIR else { return UInt64(status.st_blocks) * 512 }
        return children(of: path).reduce(0) { $0 + allocated("\(path)/\($1)") }
    }
}
