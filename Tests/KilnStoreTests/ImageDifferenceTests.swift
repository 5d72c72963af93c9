import Foundation
import KilnModel
import KilnTestSupport
import Testing

@testable import KilnStore

@Suite("In what two images differ")
struct ImageDifferenceTests {
    private let fixture: StoreFixture

    init() throws { fixture = try StoreFixture() }

    private func listing(_ entries: [String: RootEntry], _ packages: [String: String] = [:]) throws -> String {
        let root = RootEntry(kind: .directory, mode: 0o755, user: 0, group: 0)
        let lines =
            packages.sorted { $0.key < $1.key }.map {
                RootListing.line(package: Array($0.key.utf8), version: Array($0.value.utf8))
            } + [root.line(.root)]
            + (try entries.sorted { $0.key < $1.key }.map { $0.value.line(try #require(RootPath($0.key))) })
        return ([RootListing.header] + lines + [RootListing.footer(lines.count), ""]).joined(separator: "\n")
    }

    private func file(_ content: Int, mode: UInt16 = 0o644) throws -> RootEntry {
        RootEntry(kind: .file, mode: mode, user: 0, group: 0, size: 1, value: try StoreFixture.digest(content).hex)
    }

    private func difference(_ from: String, _ to: String) async throws -> ImageDifference {
        try await fixture.store.difference(from: try ImageReference(from), to: try ImageReference(to))
    }

    @Test("packages and paths are compared with their versions and aspects")
    func compared() async throws {
        let before = ["/a": try file(1), "/b": try file(2), "/c": try file(3)]
        let after = ["/a": try file(1), "/b": try file(2, mode: 0o600), "/d": try file(4)]
        try fixture.seal("web:1", mark: 1, paths: listing(before, ["bash": "1", "curl": "7"]))
        try fixture.seal("web:2", mark: 2, paths: listing(after, ["bash": "2", "sed": "4"]))
        let found = try await difference("web:1", "web:2")
        #expect(!found.isNone)
        #expect(
            found.packages == [
                DriftReport.PackageChange(name: "bash", from: "1", to: "2"),
                DriftReport.PackageChange(name: "curl", from: "7", to: nil),
                DriftReport.PackageChange(name: "sed", from: nil, to: "4"),
            ]
        )
        let paths = try #require(found.paths)
        #expect(paths.added.map(\.text) == ["/d"] && paths.deleted.map(\.text) == ["/c"])
        #expect(paths.modified == [DriftReport.Modification(path: try #require(RootPath("/b")), what: [.mode])])
    }

    @Test("images with the same root, or of the same content, do not differ")
    func same() async throws {
        try fixture.seal("web:1", mark: 1, paths: listing(["/a": file(1)]))
        try fixture.seal("web:2", mark: 2, paths: listing(["/a": file(1)]))
        try fixture.seal("bare:1", mark: 3)
        #expect(try await difference("web:1", "web:2").isNone)
        #expect(try await difference("bare:1", "bare:1").isNone)
    }

    @Test("of an image without a listing only the packages are compared, and it is named")
    func unlisted() async throws {
        let package = ImageManifest.Package(name: "bash", version: "1", architecture: "amd64")
        try fixture.seal("web:1", mark: 1, packages: [package], paths: listing([:]))
        try fixture.seal("web:2", mark: 2)
        let found = try await difference("web:1", "web:2")
        #expect(!found.isNone && found.paths == nil && found.unlisted == ["web:2"])
        #expect(found.packages == [DriftReport.PackageChange(name: "bash", from: "1", to: nil)])
    }
}
