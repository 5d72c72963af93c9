import Foundation
import KilnModel
import KilnSystem
import KilnTestSupport
import Testing

@testable import KilnBakery

@Suite("What a tree holds, and what a step changed")
struct TreeListingTests {
    private let folder: TemporaryDirectory
    private let tree: String

    init() throws {
        folder = try TemporaryDirectory()
        tree = folder.path + "/tree"
        for name in ["", "/usr", "/usr/lib", "/usr/lib/modules", "/etc"] { mkdir(tree + name, 0o755) }
        for name in ["/etc/a", "/etc/b", "/usr/lib/modules/m"] { try write(name, name) }
        link(tree + "/etc/a", tree + "/etc/also")
        symlink("../etc/a", tree + "/usr/link")
        mkfifo(tree + "/usr/pipe", 0o600)
    }

    private func write(_ text: String, _ name: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: tree + name))
    }

    private func path(_ text: String) throws -> RootPath { try #require(RootPath(text)) }

    @Test("a step that changes nothing but times changes nothing")
    func sameAgain() async throws {
        let before = try await FileTree(path: tree).listing()
        try write("/etc/b", "/etc/b")
        unlink(tree + "/etc/also")
        link(tree + "/etc/a", tree + "/etc/also")
        let after = try await FileTree(path: tree).listing()
        #expect(after == before && after.key == before.key)
        #expect(after.changes(since: before).isEmpty)
        #expect(before.root.entries.count == 11)
        #expect(before.root.entries[try path("/usr/link")]?.value == "..%2Fetc%2Fa")
        #expect(before.links == [try path("/etc/also"): try path("/etc/a")])
    }

    @Test("what is added, changed and removed is told by path, and a link that became a file of its own as well")
    func changed() async throws {
        let before = try await FileTree(path: tree).listing()
        try write("new", "/etc/new")
        chmod(tree + "/etc/b", 0o600)
        unlink(tree + "/usr/pipe")
        unlink(tree + "/etc/also")
        try write("/etc/a", "/etc/also")
        let after = try await FileTree(path: tree).listing()
        let changes = after.changes(since: before)
        #expect(changes.added == [try path("/etc/new")])
        #expect(changes.changed == [try path("/etc/also"), try path("/etc/b")])
        #expect(changes.removed == [try path("/usr/pipe")])
        #expect(after.key != before.key)
        let (modules, other) = (try path("/usr/lib/modules"), try path("/usr/lib/mod"))
        #expect(changes.touches(try path("/etc")))
        #expect(!changes.touches(modules))
        try write("changed", "/usr/lib/modules/m")
        let last = try await FileTree(path: tree).listing().changes(since: after)
        #expect(last.touches(modules) && !last.touches(other))
    }

    @Test("an archive of a tree is listed as the tree, and is the same one again after the tree was copied")
    func archived() async throws {
        let (first, second, copy) = (folder.path + "/1.tar", folder.path + "/2.tar", folder.path + "/copy")
        try await FileTree(path: tree).archiving(to: first, epoch: 1_000_000_000).run()
        mkdir(copy, 0o755)
        try await FileTree(path: copy).unpack(first)
        try await FileTree(path: copy).archiving(to: second, epoch: 1_000_000_000).run()
        #expect(FileManager.default.contentsEqual(atPath: first, andPath: second))
        let listing = try await FileTree(path: tree).listing()
        #expect(try await FileTree.listing(ofArchive: first) == listing)
        #expect(try await FileTree(path: copy).listing() == listing)
        await Namespace.remove(copy)
    }

    @Test("a tree is compared with the listing of the root that was made of it, but for /dev and what mke2fs makes")
    func madeOf() async throws {
        let listing = try await FileTree(path: tree).listing()
        var entries = listing.root.entries
        let folder = RootEntry(kind: .directory, mode: 0o700, user: 0, group: 0)
        for name in ["/lost+found", "/dev/console"] { entries[try path(name)] = folder }
        #expect(listing.difference(from: RootListing(entries: entries, packages: ["a": "1"])) == nil)
        for name in ["/etc/a", "/usr/link", "/usr/pipe"] {
            var other = entries
            let entry = try #require(entries[try path(name)])
            other[try path(name)] = RootEntry(
                kind: entry.kind,
                mode: entry.mode | 0o4000,
                user: entry.user,
                group: entry.group,
                size: entry.size,
                value: entry.value
            )
            #expect(listing.difference(from: RootListing(entries: other, packages: [:])) == (try path(name)))
            other[try path(name)] = nil
            #expect(listing.difference(from: RootListing(entries: other, packages: [:])) == (try path(name)))
        }
        entries[try path("/dev")] = folder
        #expect(listing.difference(from: RootListing(entries: entries, packages: [:])) == (try path("/dev")))
    }

    @Test("an archive that leads out of its folder is refused by name")
    func hostile() async throws {
        var archive = PaxArchive()
        archive.add("./", .folder, mode: 0o755)
        archive.add("./../x")
        let file = try folder.file("hostile.tar", Array(archive.whole))
        let error = try await #require(throws: KilnError.self) { try await FileTree.listing(ofArchive: file) }
        #expect(error.code == .bakeTreeUnreadable && error.message.contains("leads out"))
    }

    @Test("a folder that is not there is tar's error, and nobody waits for what never comes")
    func missing() async throws {
        let error = try await #require(throws: KilnError.self) {
            try await FileTree(path: folder.path + "/none").listing()
        }
        #expect(error.code == .toolFailed)
    }

    @Test("what a tool keeps of itself is no change, and what only begins with the same name is one")
    func without() throws {
        let paths = try ["/var/lib/tool", "/var/lib/tool/state", "/var/lib/tools"].map { try #require(RootPath($0)) }
        let changes = TreeChanges(added: paths, changed: [paths[1]], removed: [])
        #expect(changes.without([paths[0]]) == TreeChanges(added: [paths[2]], changed: [], removed: []))
    }
}
