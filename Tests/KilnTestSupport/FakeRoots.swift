import Foundation
import KilnEngine
import KilnModel
import KilnSystem
import Synchronization

/// Roots whose listings tests write.
public final class FakeRoots: RootInspection {
    private let faults: Faults
    private let listings = Mutex<[String: RootListing]>([:])
    private let copies = Mutex<[String: String]>([:])

    init(_ faults: Faults) { self.faults = faults }

    /// Says what is found on a root, by the path of its layer.
    public func set(_ listing: RootListing, of overlay: String) { listings.withLock { $0[overlay] = listing } }

    /// How many copies have not been discarded.
    public var remaining: Int { copies.withLock { $0.count } }

    /// Writes the listing of an empty root.
    public func writeListing(of disk: String, format: DiskFormat, to path: String) async throws {
        try faults.call("writeListing") {
            let lines = [RootListing.header, FakeRoots.rootDirectory.line(.root), RootListing.footer(1), ""]
            try Data(lines.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: path))
        }
    }

    /// Writes the archive of an empty root.
    public func archive(of disk: String, format: DiskFormat, to path: String) async throws {
        try faults.call("archiveRoot") {
            let root = TarEntry(path: [], kind: .folder, mode: 0o755, user: 0, group: 0)
            try Data(root.header() + TarEntry.end).write(to: URL(fileURLWithPath: path))
        }
    }

    /// Leaves the disk as it is.
    public func clampTimes(of disk: String, to epoch: Int) async throws { try faults.call("clampTimes") {} }

    /// Remembers that there is a copy.
    public func copy(_ overlay: String) async throws -> RootCopy {
        try faults.call("copyRoot") {
            let directory = "/copies/\(UUID().uuidString)"
            copies.withLock { $0[directory] = overlay }
            return RootCopy(directory: directory, allocated: .mebibytes(9))
        }
    }

    /// What the test said; a layer of another size than was given is refused, as a real one is.
    public func listing(
        of copy: RootCopy,
        over disk: String,
        size: ByteCount?,
        below paths: [RootPath]
    ) async throws -> RootListing {
        try faults.call("listing") {
            let overlay = copies.withLock { $0[copy.directory] } ?? ""
            if let found = try? FakeDisks.size(overlay), let image = try? FakeDisks.size(disk) {
                let expected = max(size?.bytes ?? image, image)
                guard found == expected else {
                    throw KilnError(.driftSizeChanged, "\(overlay) has \(found) bytes, not \(expected)", exit: .unmet)
                }
            }
            return listings.withLock { $0[overlay] }
                ?? RootListing(entries: [.root: FakeRoots.rootDirectory], packages: [:])
        }
    }

    /// The path itself, where the test said that there is a file.
    public func content(
        of path: RootPath,
        in copy: RootCopy,
        over disk: String,
        size: ByteCount?,
        limit: Int
    ) async throws -> [UInt8] {
        let listing = try await listing(of: copy, over: disk, size: size, below: [path])
        guard listing.entries[path]?.kind == .file else { throw KilnError(.rootNoFile, "no file", exit: .usage) }
        return Array(path.text.utf8)
    }

    /// Forgets the copy.
    public func discard(_ copy: RootCopy) { copies.withLock { _ = $0.removeValue(forKey: copy.directory) } }

    /// Nothing is ever left.
    public func removeAbandoned(dryRun: Bool) -> [String] { [] }

    /// Sixty-four digits that depend on the bytes.
    public func digest(_ bytes: [UInt8]) -> String {
        let digits = String(StableHash.fnv1a(String(decoding: bytes, as: UTF8.self)), radix: 16)
        return String(repeating: "0", count: 64 - digits.count) + digits
    }

    private static let rootDirectory = RootEntry(kind: .directory, mode: 0o755, user: 0, group: 0)
}
