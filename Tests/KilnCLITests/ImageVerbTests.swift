import Foundation
import KilnEngine
import KilnModel
import KilnStore
import KilnTestSupport
import Testing

@testable import KilnCLI

@Suite("Verbs on images, on a store of crafted ones")
struct ImageVerbTests {
    private let kiln: WorldSession
    private let fixture: StoreFixture
    private let base: ImageManifest
    private let first: ImageManifest

    init() throws {
        kiln = try WorldSession()
        fixture = try StoreFixture(root: kiln.world.state.images)
        base = try fixture.seal("base:1", mark: 1)
        let packages = [ImageManifest.Package(name: "bash", version: "5", architecture: "amd64", source: "bash")]
        first = try fixture.seal("web:1", mark: 2, from: [base], packages: packages)
    }

    private struct Images: Decodable {
        struct Image: Decodable {
            let name: String
            let version: String
            let boot: String
            let state: String?
            let channels: [String]?
        }

        let images: [Image]
    }

    private struct Failure: Decodable {
        struct Problem: Decodable { let code: String }
        let error: Problem
    }

    private func states() async throws -> [String] {
        try await kiln.kiln("image", "list", "--format", "json").json(Images.self).images
            .map { "\($0.name):\($0.version) \($0.state ?? "")" }
    }

    private func code(_ line: String...) async throws -> String {
        try await kiln.run(line + ["--format", "json"]).json(Failure.self).error.code
    }

    @Test("an image that either firmware starts is shown with both, the chosen one first")
    func firmware() throws {
        func boots(_ boot: ImageManifest.Boot, _ firmware: [ImageManifest.Firmware]?) throws -> String {
            ImageManifest(
                name: try Name("web"),
                version: "1",
                digest: try StoreFixture.digest(1),
                virtualSize: .mebibytes(8),
                boot: boot,
                firmware: firmware,
                cloudInit: .none,
                ssh: false,
                size: MachineSize(memory: .mebibytes(64), processors: 1)
            ).boots
        }
        #expect(try boots(.firmware(.uefi), [.bios, .uefi]) == "uefi+bios")
        #expect(try boots(.firmware(.bios), [.bios, .uefi]) == "bios+uefi")
        #expect(try boots(.firmware(.bios), nil) == "bios" && boots(.direct(commandLine: ""), nil) == "direct")
    }

    @Test("a list tells how each image boots, what its tests say, and which channels point to it")
    func list() async throws {
        try fixture.attest(first.digest)
        #expect(try await kiln.kiln("image", "promote", "web:1", "--to", "stable").status == 0)
        let listed = try await kiln.kiln("image", "list")
        let rows = listed.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        #expect(rows.first == ["IMAGE", "DIGEST", "DISK", "MEMORY", "BOOTS", "STATE", "CHANNELS"])
        #expect(rows.last?.suffix(3) == ["direct", "tested", "stable"])
        #expect(rows[1].suffix(3) == ["direct", "untested", "-"])
        let json = try await kiln.kiln("image", "list", "--format", "json").json(Images.self)
        #expect(json.images.map(\.boot) == ["direct", "direct"])
        #expect(json.images.map(\.channels) == [[], ["stable"]])
    }

    @Test("an untested image is not promoted, and the way to test it is told")
    func gate() async throws {
        let refused = try await kiln.kiln("image", "promote", "web:1", "--to", "stable")
        #expect(refused.status == 10 && refused.output.isEmpty)
        #expect(refused.errors.contains("kiln image test web:1"))
        #expect(try await code("image", "show", "web@stable") == "image.channel-missing")
    }

    @Test("a channel moves and comes back, and only a name goes with --back")
    func back() async throws {
        let second = try fixture.seal("web:2", mark: 3)
        for image in [first, second] {
            try fixture.attest(image.digest)
            #expect(try await kiln.kiln("image", "promote", image.title, "--to", "stable").status == 0)
        }
        #expect(try await kiln.kiln("image", "channels", "web").output.contains("web@stable  web:2"))
        #expect(try await code("image", "promote", "web:1", "--to", "stable", "--back") == "image.reference-invalid")
        let back = try await kiln.kiln("image", "promote", "web", "--to", "stable", "--back")
        #expect(back.status == 0 && back.output.contains("web@stable  web:1"))
        #expect(try await code("image", "delete", "web:1") == "image.in-use")
        #expect(try await kiln.kiln("image", "delete", "web:2").status == 0)
    }

    @Test("a revocation is told with its reason and its channels, marks children, and is taken back")
    func revoke() async throws {
        try fixture.attest(base.digest)
        _ = try await kiln.kiln("image", "promote", "base:1", "--to", "stable")
        let revoked = try await kiln.kiln("image", "revoke", "base:1", "--why", "CVE-2026-7")
        #expect(revoked.status == 0 && revoked.output.contains("CVE-2026-7"))
        #expect(revoked.output.contains("base@stable points to it and fails"))
        #expect(revoked.output.contains("made from it, and not revoked: web:1"))
        #expect(try await states() == ["base:1 revoked", "web:1 parent-revoked"])
        _ = try await kiln.kiln("image", "revoke", "base:1", "--why", "x", "--descendants")
        #expect(try await states() == ["base:1 revoked", "web:1 revoked"])
        let restored = try await kiln.kiln("image", "restore", "base:1")
        #expect(restored.output.contains("still revoked: web:1"))
        #expect(try await states() == ["base:1 tested", "web:1 revoked"])
        #expect(try await code("image", "restore", "base:1") == "image.not-revoked")
    }

    @Test("an image is shown with what its tests found, and what a guest said is made safe to print")
    func show() async throws {
        try fixture.attest(first.digest, .failed)
        let shown = try await kiln.kiln("image", "show", "web:1")
        #expect(shown.status == 0 && shown.output.contains(first.digest.description))
        #expect(shown.output.contains("state: failed") && shown.output.contains("from: base:1"))
        #expect(shown.output.contains("failed: service web: running: running expected, stopped found"))
        #expect(shown.output.contains("packages: 1, of 1 sources"))
        let hostile = Assertion(
            subject: "a\u{1b}]0;title\u{7}b",
            expected: "x",
            found: "y\nz",
            outcome: .failed,
            place: .booted,
            seconds: 0
        )
        try fixture.store.attest(
            Attestation(
                image: first.digest,
                suite: try fixture.suite(2),
                assertions: [hostile],
                acceleration: nil,
                seconds: 0
            )
        )
        let safe = try await kiln.kiln("image", "show", "web:1")
        #expect(!safe.output.contains("\u{1b}") && safe.output.contains("y z"))
    }

    @Test("a history shows parents above and children below")
    func history() async throws {
        let child = try fixture.seal("notes:1", mark: 4, from: [first, base])
        let lines = try await kiln.kiln("image", "history", "web:1").output.split(separator: "\n").map(String.init)
        #expect(
            lines == [
                "base:1  \(base.digest.short)  untested", "  web:1  \(first.digest.short)  untested  ←",
                "    notes:1  \(child.digest.short)  untested",
            ]
        )
        #expect(try await kiln.kiln("image", "delete", "base:1").status == 0)
        #expect(try await kiln.kiln("image", "history", "notes:1").output.contains("not in the store"))
    }

    @Test("a difference ends with 1, none with 0")
    func difference() async throws {
        #expect(try await kiln.kiln("image", "diff", "web:1", "web:1").status == 0)
        let found = try await kiln.kiln("image", "diff", "base:1", "web:1")
        #expect(found.status == 1 && found.output.contains("bash 5  (added)"))
        #expect(found.output.contains("paths can't be compared: there is no listing of base:1 and of web:1"))
    }

    @Test("the bill of materials is the same text in both formats")
    func bill() async throws {
        let text = try await kiln.kiln("image", "sbom", "web:1").output
        #expect(text == (try await kiln.kiln("image", "sbom", "web:1", "--format", "json").output))
        #expect(text.contains("pkg:deb/debian/bash@5?arch=amd64") && text.contains("\"SPDX-2.3\""))
    }

    @Test("prune tells, and with --yes removes, what nobody needs")
    func prune() async throws {
        try fixture.attest(first.digest)
        let second = try fixture.seal("web:2", mark: 3, from: [base])
        _ = try await kiln.kiln("image", "promote", "web:1", "--to", "stable")
        let told = try await kiln.kiln("image", "prune")
        #expect(told.output.contains("would remove web:2") && told.output.contains("--yes"))
        #expect(try fixture.store.list().count == 3)
        let explained = try await kiln.kiln("image", "gc", "--explain", "base:1")
        #expect(explained.output.contains("web:1 was made from it") && explained.status == 0)
        let alone = try await kiln.kiln("image", "gc", "--explain", "web:2")
        #expect(alone.output == "nobody needs web:2 (\(second.digest.short))\n")
        let pruned = try await kiln.kiln("image", "prune", "--yes")
        #expect(pruned.output == "removed web:2  \(second.digest.short)\n")
        #expect(try fixture.store.list().map(\.manifest.title) == ["base:1", "web:1"])
    }

    @Test("what killed commands left in the store is removed by gc")
    func garbage() async throws {
        let dead = fixture.store.root + "/work/dead"
        try FileManager.default.createDirectory(atPath: dead, withIntermediateDirectories: true)
        try Data().write(to: URL(fileURLWithPath: dead + "/lock"))
        #expect(try await kiln.kiln("image", "gc").output == "removed \(dead)\n")
        #expect(!FileManager.default.fileExists(atPath: dead))
        #expect(try fixture.store.list().count == 2)
    }

    @Test("an image is carried to another store in a file")
    func carried() async throws {
        try fixture.attest(first.digest)
        let file = fixture.folder.path + "/web.tar"
        let exported = try await kiln.kiln("image", "export", "web:1", file)
        #expect(exported.status == 0 && exported.output.contains("wrote web:1"))
        let other = try WorldSession()
        let imported = try await other.kiln("image", "import", file, "--format", "json").json(Images.self)
        #expect(imported.images.map(\.state) == ["tested"])
        #expect(try await other.kiln("image", "import", file).status == 64)
        #expect(try await other.kiln("image", "show", "web:1").output.contains("as another store says"))
    }

    @Test("du counts every image, and the rest")
    func usage() async throws {
        let output = try await kiln.kiln("image", "du").output
        #expect(output.contains("web:1") && output.contains("base:1") && output.contains("all of it"))
    }
}
