import Foundation
import KilnModel
import KilnSystem
import KilnTestSupport
import Testing

@testable import KilnBakery
@testable import KilnStore

@Suite(
    "Bakes with files of another image",
    .enabled(if: geteuid() == 0, "a plain user needs subordinate ids"),
    .timeLimit(.minutes(5))
)
struct BakeTakenTests {
    private static let versions = """
        { "1": { provision: [{ shell: old.sh }] }, "2": { provision: [{ files: { image: "web:1", from: /srv, to: /opt/old } }] } }
        """
    private static let old = """
        umask 022
        mkdir -p /srv/inner
        echo old > /srv/inner/file
        ln -s inner/file /srv/link
        ln -s /srv/inner /etc/inner
        chmod 4750 /srv/inner/file && chown 7:8 /srv/inner/file && chmod 4750 /srv/inner/file
        """

    private let world: BakeWorld

    init() throws {
        world = try BakeWorld(provision: "[{ shell: seen.sh }]", versions: Self.versions)
        try world.program("old.sh", Self.old)
        let seen =
            "cd /opt/old && busybox stat -c '%a %u:%g %n' inner/file inner > /etc/seen && readlink link >> /etc/seen"
        try world.program("seen.sh", "[ ! -d /opt/old ] || { \(seen); }")
    }

    private func failure(_ versions: [String] = []) async -> KilnError? {
        var options = Baker.Options()
        options.versions = versions
        return await #expect(throws: KilnError.self) { try await world.bake(options) }
    }

    @Test("a version has steps of its own, then the recipe's; a folder of the version before comes as it is there")
    func takes() async throws {
        let images = try await world.bake()
        try #require(images.count == 2)
        let seen = try await world.content("etc/seen", of: images[1])
        #expect(seen == "4750 7:8 inner/file\n755 0:0 inner\ninner/file", "\(seen)")
        let kinds = images.map { $0.manifest.origin?.steps.map(\.summary).dropFirst().dropLast() ?? [] }
        #expect(kinds == [["shell old.sh", "shell seen.sh"], ["files of web:1 /srv → /opt/old", "shell seen.sh"]])
    }

    @Test("the manifest names the image, which the other one descends from like a parent, also where that is revoked")
    func provenance() async throws {
        let images = try await world.bake()
        try #require(images.count == 2)
        let (old, new) = (images[0].manifest, images[1].manifest)
        #expect(
            new.origin?.taken?.map(\.digest) == [old.digest] && new.origin?.parents == [] && old.origin?.taken == nil
        )
        #expect(try world.store.catalog().descendants(of: old.digest) == [new.digest])
        #expect(try world.store.catalog().children(of: old.digest).map(\.digest) == [new.digest])
        _ = try await world.store.revoke(try ImageReference("web:1"), why: "a hole in it")
        #expect(try world.store.catalog().standing(of: new).revokedAncestor == old.digest)
        var options = Baker.Options()
        (options.versions, options.again) = (["2"], true)
        let error = await #expect(throws: KilnError.self) { try await world.bake(options) }
        #expect(error?.code == .imageRevoked)
    }

    @Test(
        "an image that is revoked after its files were taken, before the new one is sealed, makes none",
        arguments: [2, 4]
    )
    func revokedMeanwhile(step: Int) async throws {
        let (store, recipe) = (world.store, try world.recipe)
        try await world.begin()
        let baker = Baker(store: store, roots: UnlistedRoots()) { line in
            guard line.hasPrefix("web:2: step \(step)/"), let old = try? store.find(ImageReference("web:1")) else {
                return
            }
            let tombstone = Revocation(old.manifest.digest, why: "a hole in it", names: ["web:1"], ancestor: nil)
            try? DurableFile.makeDirectory(store.root + "/revoked")
            try? DurableFile.writeJSON(tombstone, to: "\(store.root)/revoked/\(old.manifest.digest.hex).json")
        }
        let error = await #expect(throws: KilnError.self) { try await baker.bake(recipe) }
        #expect(error?.code == .imageRevoked, "\(error.map { "\($0)" } ?? "")")
        #expect(throws: KilnError.self) { try store.find(try ImageReference("web:2")) }
    }

    @Test("where the image is another one, its files are taken once more, and so is said; else the step is reused")
    func key() async throws {
        let first = try #require(await world.bake().last)
        _ = world.lines()
        #expect(try await world.bake().last?.manifest.digest == first.manifest.digest)
        #expect(world.lines() == ["web:1 is baked already", "web:2 is baked already"])
        try world.program("old.sh", Self.old.replacing("echo old", with: "echo older"))
        let second = try #require(await world.bake().last)
        let lines = world.lines()
        #expect(
            lines.contains("web:2: step 2/4 files of web:1 /srv → /opt/old (changed: image web:1)"),
            "\(lines)"
        )
        #expect(try await world.content("opt/old/inner/file", of: second) == "older")
    }

    @Test("an image that the store lacks is named, with the command that bakes it")
    func missing() async throws {
        let error = await failure(["2"])
        #expect(
            error?.code == .imageMissing && error?.message.hasPrefix("web:2 takes files of the image web:1") == true
        )
        #expect(error?.hint?.contains("'kiln image bake web --version 1'") == true)
        try world.write(
            provision: "[{ files: { image: other, from: /srv, to: /srv } }]"
        )
        #expect(await failure()?.hint?.contains("'kiln image bake other'") == true)
    }

    @Test("a version that takes files of itself is refused")
    func itself() async throws {
        try world.write(provision: "[{ files: { image: \"web:1\", from: /srv, to: /srv } }]")
        #expect(await failure()?.code == .recipeCycle)
    }

    @Test(
        "a path that the image lacks, or to which a link leads, is named",
        arguments: [
            ("/srv/none", "the image has no /srv/none"),
            ("/etc/inner/file", "/etc/inner/file is reached by the link /etc/inner, which leads to /srv/inner"),
        ]
    )
    func path(from: String, said: String) async throws {
        let versions = Self.versions.replacing("from: /srv,", with: "from: \(from),")
        try world.write(provision: "[{ shell: seen.sh }]", versions: versions)
        let error = await failure()
        #expect(
            error?.code == .bakeStepFailed && error?.cause?.contains(said) == true,
            "\(error.map { "\($0)" } ?? "")"
        )
    }
}
