import Foundation
import KilnModel
import Testing

@Suite("The difference between a root and its image")
struct RootDifferenceTests {
    private static func file(_ digit: Character, mode: UInt16 = 0o644, user: UInt32 = 0, size: UInt64 = 1) -> RootEntry
    {
        RootEntry(kind: .file, mode: mode, user: user, group: 0, size: size, value: String(repeating: digit, count: 64))
    }

    private static let directory = RootEntry(kind: .directory, mode: 0o755, user: 0, group: 0)

    private func listing(_ entries: [String: RootEntry], packages: [String: String] = [:]) throws -> RootListing {
        RootListing(
            entries: Dictionary(
                uniqueKeysWithValues: try entries.map { (try path($0.key), $0.value) }
            ),
            packages: packages
        )
    }

    private func path(_ text: String) throws -> RootPath { try #require(RootPath(text)) }

    private func paths(_ texts: String...) throws -> [RootPath] { try texts.map(path) }

    @Test("what came, changed and went is told by path")
    func kinds() throws {
        let image = try listing(["/a": Self.file("a"), "/b": Self.file("b"), "/c": Self.file("c")])
        let root = try listing(["/a": Self.file("a"), "/b": Self.file("0"), "/d": Self.file("d")])
        let found = RootDifference(from: image, to: root)
        #expect(found.added.map(\.text) == ["/d"] && found.deleted.map(\.text) == ["/c"])
        #expect(found.modified.map(\.path.text) == ["/b"] && found.modified.map(\.what) == [[.content]])
        let none = RootDifference(from: image, to: image)
        #expect(none == RootDifference())
    }

    @Test("every aspect of an entry counts")
    func aspects() throws {
        func what(_ from: RootEntry, _ to: RootEntry) throws -> [DriftReport.Aspect]? {
            RootDifference(from: try listing(["/a": from]), to: try listing(["/a": to])).modified.first?.what
        }
        func link(_ target: String) -> RootEntry {
            RootEntry(kind: .link, mode: 0o777, user: 0, group: 0, value: target)
        }
        func node(_ device: String) -> RootEntry {
            RootEntry(kind: .character, mode: 0o600, user: 0, group: 0, value: device)
        }
        let flagged = RootEntry(
            kind: .directory,
            mode: 0o755,
            user: 0,
            group: 0,
            attributes: String(repeating: "f", count: 64)
        )
        #expect(try what(Self.file("a"), Self.file("a", mode: 0o4755)) == [.mode])
        #expect(try what(Self.file("a"), Self.file("a", user: 1000)) == [.owner])
        #expect(try what(Self.file("a"), Self.file("b", size: 2)) == [.size, .content])
        #expect(try what(Self.file("a"), link("x")) == [.type])
        #expect(try what(link("x"), link("y")) == [.target])
        #expect(try what(node("1:3"), node("1:5")) == [.device])
        #expect(try what(Self.directory, flagged) == [.attributes])
    }

    @Test("what could not be read counts as different")
    func unread() throws {
        let unread = RootEntry(kind: .file, mode: 0o644, user: 0, group: 0, size: 1 << 60)
        let damaged = RootEntry(kind: .damaged, mode: 0, user: 0, group: 0)
        for entry in [unread, damaged] {
            #expect(!RootDifference(from: try listing(["/a": entry]), to: try listing(["/a": entry])).modified.isEmpty)
        }
    }

    @Test("ephemeral paths and volumes don't count, nor the directories that lead to a volume")
    func allowed() throws {
        let image = try listing(["/var/log": Self.directory, "/var/log/x": Self.file("a"), "/srv": Self.directory])
        let root = try listing([
            "/var/log": Self.directory, "/var/log/y": Self.file("b"), "/var/logs": Self.file("c"),
            "/srv": Self.directory,
            "/srv/deep": Self.directory, "/srv/deep/data": Self.directory, "/srv/deep/data/f": Self.file("d"),
            "/srv/deep/other": Self.file("e"),
        ])
        let found = RootDifference(
            from: image,
            to: root,
            allowing: .init(ephemeral: try paths("/var/log"), mounts: try paths("/srv/deep/data"))
        )
        #expect(found.added.map(\.text) == ["/srv/deep/other", "/var/logs"])
        #expect(found.modified.isEmpty && found.deleted.isEmpty)
    }

    @Test("a declared file is as declared, or it is drift")
    func declared() throws {
        let path = try #require(RootPath("/opt/app/conf"))
        func found(_ entry: RootEntry?) throws -> RootDifference {
            var entries: [String: RootEntry] = ["/opt": Self.directory, "/opt/app": Self.directory]
            entries["/opt/app/conf"] = entry
            let expected = RootDifference.DeclaredFile(
                content: String(repeating: "a", count: 64),
                mode: 0o600,
                isRoots: true
            )
            return RootDifference(
                from: try listing([:]),
                to: try listing(entries),
                allowing: .init(declared: [path: expected])
            )
        }
        #expect(try found(Self.file("a", mode: 0o600)) == RootDifference())
        #expect(try found(Self.file("b", mode: 0o600)).modified.map(\.what) == [[.content]])
        #expect(try found(Self.file("a", mode: 0o4755)).modified.map(\.what) == [[.mode]])
        #expect(try found(Self.directory).modified.map(\.what) == [[.type]])
        #expect(try found(nil).deleted == [path])
    }

    @Test("a path that leads through a link is where the link leads")
    func linked() throws {
        func link(_ target: String) -> RootEntry {
            RootEntry(kind: .link, mode: 0o777, user: 0, group: 0, value: target)
        }
        let image = try listing([
            "/bin": link("usr%2Fbin"), "/usr": Self.directory, "/usr/bin": Self.directory, "/a": link("b"),
            "/b": link("a"), "/abs": link("%2Fusr%2F.%2Fbin%2F.."),
        ])
        func location(_ text: String) throws -> String { image.location(of: try path(text)).text }
        #expect(try location("/bin/tool") == "/usr/bin/tool")
        #expect(try location("/abs/x") == "/usr/x")
        #expect(try location("/bin") == "/bin")
        // A mount goes where the link leads, and what lies there is what it hides.
        #expect(image.location(of: try path("/bin"), followingLast: true).text == "/usr/bin")
        #expect(["/a", "/b"].contains(image.location(of: try path("/a"), followingLast: true).text))
        // A link that leads to itself ends somewhere.
        #expect(try location("/a/x").hasSuffix("/x"))

        var entries = image.entries
        entries[try path("/usr/bin/tool")] = Self.file("a")
        let expected = RootDifference.DeclaredFile(
            content: String(repeating: "a", count: 64),
            mode: 0o644,
            isRoots: true
        )
        let root = RootListing(entries: entries, packages: [:])
        let allowance = RootDifference.Allowance(declared: [try path("/bin/tool"): expected])
        #expect(RootDifference(from: image, to: root, allowing: allowance) == RootDifference())
    }

    @Test("packages are told by name")
    func packages() throws {
        let image = try listing([:], packages: ["a": "1", "b": "1", "c": "1"])
        let root = try listing([:], packages: ["a": "1", "b": "2", "d": "1"])
        #expect(
            RootDifference(from: image, to: root).packages == [
                .init(name: "b", from: "1", to: "2"), .init(name: "c", from: "1", to: nil),
                .init(name: "d", from: nil, to: "1"),
            ]
        )
    }

    @Test("what a volume hides is told by path: files and directories below a mount point that the image has not")
    func hidden() throws {
        let flagged = RootEntry(
            kind: .directory,
            mode: 0o755,
            user: 0,
            group: 0,
            attributes: String(repeating: "f", count: 64)
        )
        let image = try listing([
            "/var": Self.directory, "/var/lib": Self.directory, "/var/lib/db": Self.directory,
            "/var/lib/db/old": Self.file("a"), "/var/lib/db/same": Self.file("a"),
        ])
        let root = try listing([
            "/var": Self.directory, "/var/lib": Self.directory, "/var/lib/db": flagged,
            "/var/lib/db/old": Self.file("b"), "/var/lib/db/same": Self.file("a", mode: 0o600),
            "/var/lib/db/new": Self.file("c"), "/var/lib/db/log": Self.file("d"),
            "/data": flagged, "/data/cache": Self.directory, "/data/cache/on": Self.directory,
            "/data/dir": Self.directory,
        ])
        let allowance = RootDifference.Allowance(
            ephemeral: try paths("/var", "/var/lib/db/log"),
            mounts: try paths("/var/lib/db", "/data", "/data/cache/on")
        )
        let found = RootDifference(from: image, to: root, allowing: allowance)
        #expect(found.hidden.map(\.text) == ["/data/dir", "/var/lib/db/new", "/var/lib/db/old"])
        #expect(found.added.isEmpty && found.modified.isEmpty && found.deleted.isEmpty)
        #expect(RootDifference.hidden(in: root, of: image, allowing: allowance) == found.hidden)
    }
}
