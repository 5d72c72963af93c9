import Foundation
import KilnEngine
import KilnModel
import KilnStore
import KilnSystem

/// The files of a sealed image: what its listing says of them, and the content of a few out of its tree.
///
/// The listing goes with the image and is verified with it. The tree does not: of a file that was taken out of it nothing is
/// believed unless it has the digest that the listing gives.
public struct ListedRoot: SealedRoot {
    private let listing: RootListing
    private let contents: [RootPath: [UInt8]]

    init(listing: RootListing, contents: [RootPath: [UInt8]]) {
        self.listing = listing
        self.contents = contents
    }

    /// What lies at a path; a link at its end is not followed.
    public func entry(_ path: RootPath) async throws -> RootEntry? { listing.entries[listing.location(of: path)] }

    /// The sha256 of a regular file.
    public func digest(_ path: RootPath) async throws -> ImageDigest? {
        guard let file = file(at: path) else { return nil }
        guard let digest = file.entry.value.flatMap({ ImageDigest($0) }) else { throw untold(path) }
        return digest
    }

    /// The content of a regular file.
    public func content(_ path: RootPath, limit: Int) async throws -> [UInt8]? {
        guard let file = file(at: path) else { return nil }
        guard let content = contents[file.path] else { throw untold(path) }
        guard content.count <= limit else {
            throw KilnError(
                .fileTooLarge,
                "\(path) has more than \(limit) bytes, which are not searched",
                hint: "check its 'sha256' or its 'size' instead",
                exit: .usage
            )
        }
        return content
    }

    /// Whether the content of all files that the probe asks for is there, or no such file.
    public func tells(_ probe: Probe) -> Bool {
        hasContents(of: probe) && probe.leaves.allSatisfy(tellsDigest)
    }

    // What is too large to be hashed has no digest in a listing.
    private func tellsDigest(_ leaf: Probe) -> Bool {
        guard case .resource(.file(let resource)) = leaf, resource.sha256 != nil else { return true }
        return file(at: resource.path).map { $0.entry.value != nil } ?? true
    }

    private func hasContents(of probe: Probe) -> Bool {
        probe.contentPaths.allSatisfy { path in file(at: path).map { contents[$0.path] != nil } ?? true }
    }

    private func file(at path: RootPath) -> (path: RootPath, entry: RootEntry)? { listing.file(at: path) }

    private func untold(_ path: RootPath) -> KilnError {
        KilnError(.fileUnreadable, "\(path) can't be read without a machine")
    }
}

extension RootListing {
    /// The regular file at a path, or the one that links lead to.
    fileprivate func file(at path: RootPath) -> (path: RootPath, entry: RootEntry)? {
        let place = location(of: path, followingLast: true)
        guard let entry = entries[place], entry.kind == .file else { return nil }
        return (place, entry)
    }
}

extension ListedRoot {
    /// The files of an image, with the content that the probes ask for; nothing where the image has no listing.
    ///
    /// Without a tree beside the store there is no content, and machines are asked for it.
    ///
    /// - Throws: `KilnError` with code `drift.listing-damaged` or `file.…`; `CancellationError`.
    public static func find(of image: StoredImage, in store: ImageStore, for tests: [Check]) async throws -> ListedRoot?
    {
        guard let paths = image.paths, !tests.isEmpty else { return nil }
        let listing = try await BlockingWork.run {
            try RootListing(try Data(contentsOf: URL(fileURLWithPath: paths)), of: image.manifest.title)
        }
        let wanted = Set(tests.flatMap(\.probe.contentPaths).compactMap { listing.file(at: $0)?.path })
        let archive = StepCache(store: store).tree(of: image.manifest.digest)
        let contents = try await TreeExcerpt(archive: archive, store: store).contents(of: wanted, listing)
        return ListedRoot(listing: listing, contents: contents)
    }
}

/// A few files out of the archive of a tree.
struct TreeExcerpt {
    let archive: String
    let store: ImageStore

    /// The most bytes of a file that is taken out, as many as a list of packages has.
    private static let longest: UInt64 = 12 << 20

    /// The content of those files that are there as the listing says.
    ///
    /// What tar can't find, or is another thing in the archive, is left out: it is not told.
    func contents(of paths: Set<RootPath>, _ listing: RootListing) async throws -> [RootPath: [UInt8]] {
        let small = paths.filter { (listing.entries[$0]?.size ?? .max) <= Self.longest }
        guard !small.isEmpty, FileStamp(of: archive) != nil else { return [:] }
        let work = try WorkFolder(in: store.work)
        defer { try? FileManager.default.removeItem(atPath: work.path) }
        let folder = work.path + "/excerpt"
        try DurableFile.makeDirectory(folder)
        let names = small.sorted().map { "." + $0.plainText }
        // One that is not found fails all of it, and the rest is there.
        _ = try await Command(
            "tar",
            [
                "-C", folder, "--no-same-owner", "--no-same-permissions", "--no-wildcards", "--no-recursion",
                "--warning=no-unknown-keyword", "-xf", archive, "--",
            ] + names,
            deadline: .seconds(300)
        ).result()
        let root = FolderRoot(folder)
        var found: [RootPath: [UInt8]] = [:]
        for path in small {
            guard let value = listing.entries[path]?.value,
                let content = (try? await root.content(path, limit: Int(Self.longest))) ?? nil,
                try FileDigest.sha256(Data(content)).hex == value
            else { continue }
            found[path] = content
        }
        return found
    }
}

extension RootPath {
    /// The path as its bytes are, as text.
    fileprivate var plainText: String { "/" + names.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "/") }
}
