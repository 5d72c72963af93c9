import Foundation
import KilnModel
import KilnStore
import KilnSystem

/// What bakes keep beside the images, to be quicker or to be looked at, and nothing needs any more.
///
/// ```
/// steps/     of no version that is there, or whose tree is kept
/// trees/     of images that are gone, and
/// boots/     how long those took to boot
/// bakes/     the lists of steps, and
/// logs/      the logs, of versions that are gone
/// kept/      trees of bakes that failed weeks ago
/// downloads/ files that nobody asked for since weeks
/// ```
public struct BakeLeftovers: Sendable {
    /// Something that nothing needs.
    public struct Item: Sendable, Hashable, Codable {
        /// Where it lies in the store.
        public let path: String
        /// What it takes on the disk, in bytes; what has another link that stays takes nothing.
        public let bytes: UInt64
    }

    private let store: ImageStore
    private let now: Date
    /// A bake that has just begun may need what it has just made.
    private let youngest: TimeInterval

    private static let keptDays = 14.0
    private static let downloadDays = 30.0

    /// The leftovers of a store.
    public init(of store: ImageStore) { self.init(of: store, now: Date(), youngest: 3_600) }

    init(of store: ImageStore, now: Date, youngest: TimeInterval) {
        (self.store, self.now, self.youngest) = (store, now, youngest)
    }

    /// Removes them, or only tells.
    ///
    /// While a bake is under way, only downloads are looked at. Caches are judged by the clock: what is removed too early is
    /// made or fetched again.
    ///
    /// - Throws: `KilnError` with code `image.manifest-damaged` or `state.unreadable`; `CancellationError`.
    public func collect(dryRun: Bool) async throws -> [Item] {
        let locks = bakeLocks()
        defer { withExtendedLifetime(locks) {} }
        let trees = locks == nil ? [] : try ofBakes()
        let downloads = downloads()
        defer { withExtendedLifetime(downloads) {} }
        let paths = trees + downloads.map(\.path)
        let use = DiskUse(of: paths.map { "\(store.root)/\($0)" })
        let items = paths.map { Item(path: $0, bytes: use.freed("\(store.root)/\($0)")) }
        guard !dryRun else { return items }
        for item in items { await remove(item.path) }
        return items.filter { !isThere($0.path) }
    }

    // MARK: - What goes

    private func ofBakes() throws -> [String] {
        let catalog = try store.catalog()
        let titles = Set(catalog.images.map(\.manifest.title))
        let kept = versions(in: "kept", suffix: "")
        // A folder is made anew by each bake that fails.
        let old = kept.filter { age($0.path) ?? 0 > Self.keptDays * 86_400 }
        let living = titles.union(kept.filter { one in !old.contains { $0.path == one.path } }.map(\.title))
        let notes = versions(in: "bakes", suffix: ".json")
        let logs = versions(in: "logs", suffix: ".log")
        let keys = Set(notes.filter { living.contains($0.title) }.flatMap { steps(noted: $0.path) })
        return (notes + logs).filter { !living.contains($0.title) && isOld($0.path) }.map(\.path) + old.map(\.path)
            + steps(besides: keys, of: living.subtracting(titles)) + ofGone("trees", ".tar.zst")
            + ofGone("boots", ".json")
    }

    // The last bake of a version notes its steps; of one that failed, the steps say by themselves whose they are.
    private func steps(besides keys: Set<ImageDigest>, of failed: Set<String>) -> [String] {
        children("steps").filter { name in
            guard let key = ImageDigest(name), isOld("steps/\(name)") else { return false }
            let made = StepCache(store: store).record(key)?.made
            return !keys.contains(key) && !failed.contains(made ?? "")
        }
        .map { "steps/\($0)" }
    }

    // What is named by the digest of an image that is not there.
    private func ofGone(_ folder: String, _ suffix: String) -> [String] {
        children(folder).filter { name in
            guard name.hasSuffix(suffix), let image = ImageDigest(String(name.dropLast(suffix.count))) else {
                return false
            }
            return !isThere("sha256/\(image.hex)")
        }
        .map { "\(folder)/\($0)" }
    }

    // Each with its lock, so that nobody asks for it meanwhile. Who asks for a file writes its record anew.
    private func downloads() -> [(path: String, lock: FileLock)] {
        let names = children("downloads").filter { !$0.hasSuffix(".lock") && ImageDigest(String($0.prefix(64))) != nil }
        return Dictionary(grouping: names) { String($0.prefix(64)) }.sorted { $0.key < $1.key }
            .flatMap { key, names -> [(path: String, lock: FileLock)] in
                let paths = names.map { "downloads/\($0)" }
                guard paths.allSatisfy({ age($0) ?? 0 > Self.downloadDays * 86_400 }),
                    let lock = try? FileLock("\(store.root)/downloads/\(key).lock", subject: "a download")
                else { return [] }
                return paths.map { ($0, lock) }
            }
    }

    private func steps(noted path: String) -> [ImageDigest] {
        FileManager.default.contents(atPath: "\(store.root)/\(path)")
            .flatMap { try? JSONDecoder().decode([ImageDigest].self, from: $0) } ?? []
    }

    // MARK: - The folders

    private struct Version {
        let title: String
        let path: String
    }

    private func versions(in folder: String, suffix: String) -> [Version] {
        children(folder).filter { (try? Name($0)) != nil }.flatMap { name in
            children("\(folder)/\(name)").filter { $0.hasSuffix(suffix) }.map { file in
                Version(title: "\(name):\(file.dropLast(suffix.count))", path: "\(folder)/\(name)/\(file)")
            }
        }
    }

    private func children(_ folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "\(store.root)/\(folder)")) ?? []).sorted()
    }

    private func isThere(_ path: String) -> Bool {
        var status = stat()
        return lstat("\(store.root)/\(path)", &status) == 0
    }

    private func age(_ path: String) -> TimeInterval? {
        var status = stat()
        guard lstat("\(store.root)/\(path)", &status) == 0 else { return nil }
        return now.timeIntervalSince1970 - TimeInterval(status.st_mtim.tv_sec)
    }

    private func isOld(_ path: String) -> Bool { age(path) ?? 0 >= youngest }

    /// The turns of all recipes; nothing where somebody bakes.
    private func bakeLocks() -> [FileLock]? {
        var locks: [FileLock] = []
        for name in children("bakes") where name.hasSuffix(".lock") {
            guard let lock = try? FileLock("\(store.root)/bakes/\(name)", subject: "a recipe") else { return nil }
            locks.append(lock)
        }
        return locks
    }

    private func remove(_ path: String) async {
        // Away at once, so that nobody begins with a half of it; what is in a kept tree may belong to users of a namespace.
        let grave = "\(store.work)/removed-\(UUID().uuidString)"
        guard (try? DurableFile.makeDirectory(store.work)) != nil,
            rename("\(store.root)/\(path)", grave) == 0
        else { return }
        await Namespace.remove(grave)
        rmdir("\(store.root)/\((path as NSString).deletingLastPathComponent)")
    }
}

/// What removing some paths frees.
private struct DiskUse {
    private struct File {
        let bytes: UInt64
        let links: Int
        var seen = 0
    }

    private var files: [UInt64: File] = [:]
    private var inodes: [String: [UInt64]] = [:]

    init(of paths: [String]) {
        for path in paths { add(path, of: path) }
    }

    /// The bytes that go with one of the paths; of a file with several links, with the first of them if all go.
    func freed(_ path: String) -> UInt64 {
        (inodes[path] ?? []).reduce(0) { sum, inode in
            guard let file = files[inode], file.seen >= file.links else { return sum }
            return sum + file.bytes
        }
    }

    private mutating func add(_ path: String, of item: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        if status.st_mode & S_IFMT == S_IFDIR {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
            for name in names { add("\(path)/\(name)", of: item) }
            return
        }
        let inode = UInt64(status.st_ino)
        if files[inode] == nil {
            files[inode] = File(bytes: UInt64(status.st_blocks) * 512, links: Int(status.st_nlink))
            inodes[item, default: []].append(inode)
        }
        files[inode]?.seen += 1
    }
}
