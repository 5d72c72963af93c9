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

    @Test("the doctor is told of a host without Debian, of lists that apt has not read, and of all that a bake needs")
    func outlook() async throws {
        let keyring = try folder.file("keys.asc", Array("-----BEGIN PGP PUBLIC KEY BLOCK-----".utf8))
        func look(mirror: String = "", keyring: String) async -> DebianOutlook {
            let named = [DebianMirror.variable: mirror, DebianMirror.keyringVariable: keyring]
            let scratch = "\(folder.path)/scratch-\(UUID().uuidString)"
            return await DebianOutlook.look(scratch: scratch, environment: environment.merging(named) { $1 })
        }
        try configure(try archive("vendor", "noble", origin: "Ubuntu", codename: "noble"))
        let unread = await look(keyring: keyring)
        #expect(!unread.isReady && unread.remedy == "apt-get update")
        try await update()
        let elsewhere = await look(keyring: keyring)
        #expect(!elsewhere.isReady && elsewhere.detail.contains("no archive of Debian's"))
        #expect(elsewhere.remedy?.contains("KILN_DEBIAN_MIRROR=URL") == true)
        let named = await look(mirror: "http://me:secret@m.example/debian", keyring: keyring)
        #expect(named.isReady && named.detail == "KILN_DEBIAN_MIRROR has http://m.example/debian")
        let keyless = await look(mirror: "http://m.example/debian", keyring: folder.path + "/none")
        #expect(!keyless.isReady && keyless.remedy?.contains("debian-archive-keyring") == true)
        try configure(try archive("debian", "bookworm", origin: "Debian", codename: "bookworm"))
        try await update()
        let debian = await look(keyring: keyring)
        #expect(debian.isReady && debian.detail.contains("\(folder.path)/debian/"))
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
        let tree = try await fetched(text, in: "bake").path
        #expect(FileManager.default.fileExists(atPath: tree + "/usr/bin/tool"))
        let apt = try FileManager.default.subpathsOfDirectory(atPath: tree + "/etc/apt")
        #expect(!apt.contains { $0.contains("kiln") }, "\(apt)")
        #expect(try String(contentsOfFile: tree + "/.kiln-packages", encoding: .utf8) == "tool\t1\n")
        let error = await #expect(throws: KilnError.self) {
            try await self.fetched(text.replacing("[tool]", with: "[no-such-tool]"), in: "other")
        }
        #expect(error?.code == .bakeNotFetched && error?.message.contains("\(folder.path)/debian trixie main") == true)
        #expect(error?.cause?.contains("no-such-tool") == true, "\(error?.cause ?? "")")
    }

    @Test(
        "as root mmdebstrap's files are where the next bake finds them, and no folder of the host is hidden from it",
        .enabled(if: geteuid() == 0, "a plain user's needs no mount")
    )
    func scratch() async throws {
        let look =
            #"echo "$*" > "$TMPDIR/told"; stat -c %i /mnt /media /run "$TMPDIR/.." > "$TMPDIR/seen" 2>&1 || true"#
        let program = try folder.file("bin/mmdebstrap", Array("#!/bin/sh\n\(look)\n".utf8))
        chmod(program, 0o755)
        let told = try folder.file("far/told", [])
        // A store is reached by a link to another disk, as it may be.
        symlink("far", folder.path + "/near")
        let path = "PATH=\(DurableFile.directory(of: program)):/usr/sbin:/usr/bin:/sbin:/bin"
        _ = try await Command("env", [path] + DebianTree.line(in: folder.path + "/near", ["trixie", "-"])).run()
        #expect(try String(contentsOfFile: told, encoding: .utf8) == "trixie -\n")
        let seen = try String(contentsOfFile: folder.path + "/far/seen", encoding: .utf8)
        let here = ["-c", "stat -c %i /mnt /media /run /run 2>&1 || true"]
        #expect(
            seen.split(separator: "\n") == (try await Command("sh", here).run().text).split(separator: "\n"),
            "\(seen)"
        )
    }

    /// The tree that a recipe begins as.
    private func fetched(_ text: String, in name: String) async throws -> FileTree {
        let fixture = try RecipeFixture(text)
        let recipe = try Recipe(folder: fixture.path)
        guard case .debian(let debian) = recipe.base, let version = recipe.versions.first else {
            throw CancellationError()
        }
        let plan = try BakePlan(recipe, version, parent: nil, tools: BakeTools(versions: [:]))
        let path = "\(folder.path)/\(name)"
        let bench = Workbench(folder: path, plan: plan, log: try BakeLog(path + "/log") { _ in })
        try bench.make()
        try await DebianTree(debian, nil, bench) { _ in }.make()
        return bench.tree
    }

    private static let control = """
        Package: tool
        Version: 1
        Architecture: all
        Maintainer: nobody <nobody@example.org>
        Description: none

        """
}
