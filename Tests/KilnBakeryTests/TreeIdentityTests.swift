import Foundation
import KilnModel
import KilnTestSupport
import Testing

@testable import KilnBakery

@Suite("What a tree says of its image")
struct TreeIdentityTests {
    private let folder: TemporaryDirectory
    private var tree: FileTree { FileTree(path: folder.path + "/tree") }
    private var release: String { folder.path + "/tree/usr/lib/os-release" }

    init() throws { folder = try TemporaryDirectory() }

    private func content() throws -> String { try String(contentsOfFile: release, encoding: .utf8) }

    @Test("the packages are those of the tree's dpkg, never of another's; a tree without one has none")
    func packages() throws {
        let list = Array("Package: a\nStatus: install ok installed\nVersion: 1\nSource: s (2)\n".utf8)
        mkdir(folder.path + "/tree", 0o755)
        #expect(try tree.packages().isEmpty)
        let status = try folder.file("tree/var/lib/dpkg/status", list)
        #expect(try tree.packages().map(\.sourceVersion) == ["2"])
        rename(status, folder.path + "/elsewhere")
        symlink("../../../../elsewhere", status)
        let error = #expect(throws: KilnError.self) { try tree.packages() }
        #expect(error?.code == .bakeTreeRefused)
    }

    @Test("two images never share the identity of a disk, and one always has the same")
    func identity() throws {
        let digests = try ["a", "b"].map { try #require(ImageDigest(String(repeating: $0, count: 64))) }
        let identities = digests.map { DiskIdentity(of: $0, epoch: 5) }
        #expect(identities[0] != identities[1] && identities[0] == DiskIdentity(of: digests[0], epoch: 5))
        let form = /[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/
        #expect(identities[0].uuid.wholeMatch(of: form) != nil)
        #expect(DiskIdentity(of: digests[0], epoch: 0).epoch == 1)
    }
}
