import Crypto
import Foundation
import KilnModel
import KilnSystem

/// Everything in a tree but times: what tells whether a step changed anything, and what.
///
/// To be compared with others of its kind only: access lists are hashed as the kernel shows them, while the listing of a disk
/// has them as they are stored.
struct TreeListing: Sendable, Hashable {
    /// What is at each path.
    let root: RootListing
    /// The other names of files that have several, each with the first of them in the order of bytes.
    let links: [RootPath: RootPath]

    /// Content of a file with holes that is larger counts as unknown, and so as changed.
    private static let largestFile: UInt64 = 16 << 30

    /// Reads an archive to its end.
    ///
    /// - Throws: `TarArchive.Refusal`; `KilnError` with code `file.unreadable`.
    init(_ archive: consuming TarStream) throws {
        var entries: [RootPath: RootEntry] = [:]
        var firsts: [RootPath: RootPath] = [:]
        while let entry = try archive.next() {
            let path = TreeListing.path(entry.path)
            if case .hardLink(let first) = entry.kind {
                // A name of a name: the first of all is kept.
                let first = TreeListing.path(first)
                firsts[path] = firsts[first] ?? first
                entries[path] = entries[first]
            } else {
                let digest = try TreeListing.digest(of: entry, in: &archive)
                entries[path] = TreeListing.rootEntry(entry, digest: digest)
            }
        }
        root = RootListing(entries: entries, packages: [:])
        links = TreeListing.ordered(firsts)
    }

    /// A root as it is seen from outside, but for what lies at or below some paths.
    init(_ listing: RootListing, without paths: [RootPath]) {
        let rest = listing.entries.filter { entry in !paths.contains { entry.key.isWithin($0) } }
        root = RootListing(entries: rest, packages: [:])
        links = [:]
    }

    /// The sha256 over all of it: two trees with the same are the same.
    var key: String {
        var hash = SHA256()
        for (path, entry) in root.entries.sorted(by: { $0.key < $1.key }) {
            hash.update(data: Array("\(entry.line(path)) \(links[path]?.text ?? "-")\n".utf8))
        }
        return hash.finalize().hexadecimal
    }

    /// What changed between an earlier listing and this one.
    func changes(since earlier: TreeListing) -> TreeChanges {
        let difference = RootDifference(from: earlier.root, to: root)
        let relinked = Set(links.keys).union(earlier.links.keys).filter { path in
            links[path] != earlier.links[path] && root.entries[path] != nil && earlier.root.entries[path] != nil
        }
        return TreeChanges(
            added: difference.added,
            changed: relinked.union(difference.modified.map(\.path)).sorted(),
            removed: difference.deleted
        )
    }

    /// The first path at which a tree is another than the root that was made of it; nothing where it is the same.
    ///
    /// Attributes are not compared, which the two have in different forms, nor what is in /dev, which no tree is unpacked with.
    func difference(from listing: RootListing) -> RootPath? {
        let paths = Set(root.entries.keys).union(listing.entries.keys)
        return paths.sorted().first { path in
            guard !TreeListing.isOfDisks(path) else { return false }
            guard let own = root.entries[path], let other = listing.entries[path] else { return true }
            return !own.isSameButAttributes(as: other)
        }
    }

    private static func isOfDisks(_ path: RootPath) -> Bool {
        let names = path.names.prefix(2).map { String(decoding: $0, as: UTF8.self) }
        return names.first == "lost+found" || names.first == "dev" && names.count > 1
    }

    // Which of several names an archive has first depends on who wrote it.
    private static func ordered(_ firsts: [RootPath: RootPath]) -> [RootPath: RootPath] {
        var links: [RootPath: RootPath] = [:]
        for (first, others) in Dictionary(grouping: firsts.keys, by: { firsts[$0] }) {
            let names = (others + [first].compactMap(\.self)).sorted()
            for name in names.dropFirst() { links[name] = names[0] }
        }
        return links
    }

    private static func path(_ names: [[UInt8]]) -> RootPath { names.reduce(.root) { $0.appending($1) } }

    private static func digest(of entry: TarEntry, in archive: inout TarStream) throws -> String? {
        guard entry.kind == .file, entry.size <= largestFile else { return nil }
        var hash = SHA256()
        try archive.readContent { hash.update(bufferPointer: $0) }
        return hash.finalize().hexadecimal
    }

    private static func rootEntry(_ entry: TarEntry, digest: String?) -> RootEntry {
        let (kind, value): (RootEntry.Kind, String?) =
            switch entry.kind {
            case .file, .hardLink: (.file, digest)
            case .folder: (.directory, nil)
            case .link(let target): (.link, RootPath.escaped(target))
            case .character(let major, let minor): (.character, "\(major):\(minor)")
            case .block(let major, let minor): (.block, "\(major):\(minor)")
            case .pipe: (.pipe, nil)
            }
        return RootEntry(
            kind: kind,
            mode: UInt16(entry.mode),
            user: entry.user,
            group: entry.group,
            size: entry.size,
            value: value,
            attributes: attributes(entry)
        )
    }

    private static func attributes(_ entry: TarEntry) -> String? {
        guard !entry.attributes.isEmpty else { return nil }
        var hash = SHA256()
        for attribute in entry.attributes.sorted(by: { $0.name.lexicographicallyPrecedes($1.name) }) {
            for field in [attribute.name, attribute.value] {
                hash.update(data: Array(" \(field.count) ".utf8))
                hash.update(data: field)
            }
        }
        return hash.finalize().hexadecimal
    }
}

extension RootEntry {
    /// Content that is too large to be hashed is compared by its size.
    fileprivate func isSameButAttributes(as other: RootEntry) -> Bool {
        let isKnown = value != nil && other.value != nil
        return kind == other.kind && mode == other.mode && user == other.user && group == other.group
            && size == other.size && (!isKnown || value == other.value)
    }
}

/// The paths at which two listings differ, each in its order.
struct TreeChanges: Sendable, Hashable {
    /// What came to be.
    let added: [RootPath]
    /// What is there in both and differs.
    let changed: [RootPath]
    /// What is gone.
    let removed: [RootPath]

    /// Whether nothing differs.
    var isEmpty: Bool { added.isEmpty && changed.isEmpty && removed.isEmpty }

    /// Whether anything differs at a path or below.
    func touches(_ path: RootPath) -> Bool { (added + changed + removed).contains { $0.isWithin(path) } }

    /// Those that are neither at some paths nor below.
    func without(_ paths: [RootPath]) -> TreeChanges {
        func rest(_ found: [RootPath]) -> [RootPath] {
            found.filter { path in !paths.contains { path.isWithin($0) } }
        }
        return TreeChanges(added: rest(added), changed: rest(changed), removed: rest(removed))
    }

    /// The first paths, and how many more there are.
    var summary: String {
        let all = (added.map { "\($0) (new)" } + changed.map { "\($0)" } + removed.map { "\($0) (gone)" })
        return all.prefix(5).joined(separator: ", ") + (all.count > 5 ? " and \(all.count - 5) more" : "")
    }
}
