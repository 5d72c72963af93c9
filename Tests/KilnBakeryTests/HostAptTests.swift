import Foundation
import KilnModel
import KilnSystem
import KilnTestSupport
import Testing

@testable import KilnBakery
@testable import KilnStore

/// With the real apt and mmdebstrap, on archives that are folders: nothing leaves the host, and its own lists stay.
@Suite("The host's apt", .serialized, .timeLimit(.minutes(2)))
struct HostAptTests {
    private let folder: TemporaryDirectory
    private let settings: HostApt.Settings

    init() async throws {
        folder = try TemporaryDirectory()
        settings = try await HostApt.Settings.read()
        _ = try folder.file("lists/partial/.keep", [])
        _ = try folder.file(
            "apt.conf",
            Array(
                """
                Dir::Etc::sourcelist "/dev/null";
                Dir::Etc::sourceparts "\(folder.path)/parts";
                Dir::State::lists "\(folder.path)/lists/";
                Dir::Cache::pkgcache "";
                Dir::Cache::srcpkgcache "";
                APT::Sandbox::User "root";
                """.utf8
            )
        )
        _ = try folder.file("parts/.keep", [])
    }

    private var environment: [String: String] { ["APT_CONFIG": folder.path + "/apt.conf"] }

    /// Makes an unsigned archive of one component, and returns its line in a list.
    private func archive(
        _ name: String,
        _ release: String,
        origin: String,
        codename: String,
        packages: String = ""
    ) throws -> String {
        let place = "\(name)/dists/\(release)"
        let index = "main/binary-\(settings.architecture)"
        var sums = ""
        for (file, text) in [("Packages", packages), ("Release", "Component: main\n")] {
            let digest = try FileDigest.sha256(Data(text.utf8)).description.replacing("sha256:", with: "")
            _ = try folder.file("\(place)/\(index)/\(file)", Array(text.utf8))
            sums += " \(digest) \(text.utf8.count) \(index)/\(file)\n"
        }
        let release = """
            Origin: \(origin)
            Suite: \(release)
            Codename: \(codename)
            Components: main
            Architectures: \(settings.architecture)
            Date: Mon, 01 Jan 2024 00:00:00 UTC
            SHA256:

            """
        _ = try folder.file("\(place)/Release", Array((release + sums).utf8))
        return "deb [trusted=yes] file:\(folder.path)/\(name) \(place.split(separator: "/")[2]) main\n"
    }

    private func configure(_ lines: String...) throws {
        _ = try folder.file("parts/all.list", Array(lines.joined().utf8))
    }

    private func update() async throws {
        try await Command.bake("apt-get", ["-qq", "update"], environment: environment).run()
    }

    private func sources() async throws -> DebianSources {
        let scratch = "\(folder.path)/scratch-\(UUID().uuidString)"
        let own = try await HostApt.Settings.read(environment: environment)
        let apt = try await HostApt.read(in: scratch, own, environment: environment)
        return try DebianSources.ofHost(apt, suite: "trixie", settings: settings)
    }

    private var expected: [String] {
        [
            "deb [trusted=yes] copy:\(folder.path)/debian/ trixie main",
            "deb [trusted=yes] copy:\(folder.path)/security/ trixie-security main",
        ]
    }

    @Test("vendors' archives stay out, with apt's lists and without them", arguments: [true, false])
    func vendor(updated: Bool) async throws {
        try configure(
            try archive("vendor", "bookworm", origin: "Vendor", codename: "bookworm"),
            try archive("debian", "oldstable", origin: "Debian", codename: "bookworm"),
            try archive("security", "bookworm-security", origin: "Debian", codename: "bookworm-security")
        )
        if updated { try await update() }
        let before = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/lists").sorted()
        let found = try await sources()
        #expect(found.lines == expected)
        #expect(found.notes.isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/lists").sorted() == before)
    }

    @Test("an archive that nobody can read is named; without a part of Debian nothing is baked")
    func unreadable() async throws {
        let debian = try archive("debian", "bookworm", origin: "Debian", codename: "bookworm")
        try configure(debian, "deb [trusted=yes] file:\(folder.path)/gone bookworm main\n")
        let found = try await sources()
        #expect(found.lines == [expected[0]])
        #expect(found.notes == ["apt can't tell whose file:\(folder.path)/gone/ bookworm is; it is left out"])
        try configure(debian, "deb file:\(folder.path)/gone bookworm-security main\n")
        let error = await #expect(throws: KilnError.self) { try await sources() }
        #expect(error?.code == .bakeNoMirror && error?.message.contains("gone/ bookworm-security") == true)
        #expect(error?.cause?.isEmpty == false)
    }

    @Test("sources that apt can't read are named with what it says of them")
    func malformed() async throws {
        try configure("deb nonsense\n")
        let error = await #expect(throws: KilnError.self) { try await sources() }
        #expect(error?.code == .bakeNoMirror && error?.exit == .aborted)
        #expect(error?.cause?.contains("parts/all.list") == true, "\(error?.cause ?? "")")
    }

    @Test(
        "mmdebstrap takes a tree from the recipe's own mirror",
        .enabled(if: geteuid() == 0, "mmdebstrap needs a place")
    )
    func fetched() async throws {
        _ = try folder.file("tool/DEBIAN/control", Array(Self.control.utf8))
        _ = try folder.file("tool/usr/bin/tool", Array("#!/bin/sh\n".utf8))
        let deb = folder.path + "/debian/tool.deb"
        try FileManager.default.createDirectory(atPath: folder.path + "/debian", withIntermediateDirectories: true)
        try await Command("dpkg-deb", ["--build", "--root-owner-group", folder.path + "/tool", deb]).run()
        let digest = try FileDigest.sha256(of: deb).description.replacing("sha256:", with: "")
        let size = try Data(contentsOf: URL(fileURLWithPath: deb)).count
        let index = Self.control + "Filename: tool.deb\nSize: \(size)\nSHA256: \(digest)\n\n"
        let line = try archive("debian", "trixie", origin: "Debian", codename: "trixie", packages: index)
        let debian = "{ suite: trixie, variant: extract, packages: [tool], mirror: '\(line.dropLast())' }"
        let text = RecipeFixture.text.replacing(/debian: .*/, with: "debian: \(debian)")
        let fixture = try RecipeFixture(text)
        let recipe = try Recipe(folder: fixture.path)
        let baker = Baker(store: ImageStore(root: folder.path + "/images"), roots: UnlistedRoots()) { _ in }
        try FileManager.default.createDirectory(atPath: folder.path + "/bake", withIntermediateDirectories: false)
        let archive = try await baker.fetch(
            try #require(recipe.assembly).debian,
            for: recipe.name,
            into: folder.path + "/bake"
        )
        let names = try await Command("tar", ["-tf", archive]).run().text.split(separator: "\n")
        #expect(names.contains("./usr/bin/tool"))
        #expect(!names.contains { $0.contains("kiln/") || $0.contains("99kiln") })
        #expect(try await Command("tar", ["-xOf", archive, "./.kiln-packages"]).run().text == "tool\t1")
        let other = try RecipeFixture(text.replacing("[tool]", with: "[no-such-tool]"))
        let missing = try Recipe(folder: other.path)
        let error = await #expect(throws: KilnError.self) {
            try await baker.fetch(try #require(missing.assembly).debian, for: missing.name, into: folder.path + "/bake")
        }
        #expect(error?.code == .bakeNotFetched && error?.message.contains("\(folder.path)/debian trixie main") == true)
        #expect(error?.cause?.contains("no-such-tool") == true, "\(error?.cause ?? "")")
    }

    private static let control = """
        Package: tool
        Version: 1
        Architecture: all
        Maintainer: nobody <nobody@example.org>
        Description: none

        """
}
