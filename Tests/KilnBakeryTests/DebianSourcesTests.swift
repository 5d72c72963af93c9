import Foundation
import KilnModel
import KilnTestSupport
import Testing

@testable import KilnBakery

@Suite("Where packages come from")
struct DebianSourcesTests {
    private static let settings = HostApt.Settings(dump: ["APT::Architecture \"amd64\";"], paths: [])

    /// URI, release, component and architecture; then origin and code name, where the Release file was read.
    private static func target(_ fields: String) -> AptTarget? {
        let words = fields.split(separator: " ").map { $0.replacing("_", with: " ") }
        var target = AptTarget((words[0...3] + ["/etc/apt/none.list:1", "/l/x_main", "main"]).joined(separator: "\t"))
        if words.count > 4 { target?.about = AptRelease(text: "Origin: \(words[4])\nCodename: \(words[5])\n") }
        return target
    }

    private func sources(_ known: [String], unread: [String] = [], suite: String = "trixie") throws -> DebianSources {
        let apt = HostApt(targets: (known + unread).compactMap(Self.target), complaint: "could not connect")
        return try DebianSources.ofHost(apt, suite: suite, settings: Self.settings)
    }

    @Test("a target's Release file is found by apt's name for it, and read up to its list of files")
    func releaseFiles() throws {
        let words = [
            "http://x/", "stable", "main", "amd64", "/s:1", "/l/x_dists_a%5fb_main_binary-amd64_P",
            "main/binary-amd64/P",
        ]
        let target = try #require(AptTarget(words.joined(separator: "\t")))
        #expect(target.files == "x_dists_a%5fb_")
        #expect(AptTarget("W: Something is odd") == nil)
        let text =
            "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nOrigin: Debian\nSHA256:\n 00 1 Codename: x\nCodename: y\n"
        let folder = try TemporaryDirectory()
        #expect(AptRelease(of: target, in: folder.path) == nil)
        _ = try folder.file("x_dists_a%5fb_InRelease", Array(text.utf8))
        let release = try #require(AptRelease(of: target, in: folder.path))
        #expect(release.origin == "Debian" && release.codename == nil)
    }

    private static let release = "http://m.example/debian/ bookworm main amd64 Debian bookworm"
    private static let security = "http://m.example/security/ bookworm-security main amd64 Debian bookworm-security"

    @Test("Debian's archives are those whose Release file says so, whatever their hosts and releases are called")
    func origin() throws {
        let found = try sources([
            Self.release, "http://m.example/debian/ bookworm non-free-firmware amd64 Debian bookworm", Self.release,
            "http://m.example/debian/ bookworm main i386 Debian bookworm",
            "http://ports.example/debian/ bookworm main i386 Debian bookworm",
            "http://m.example/debian/ bookworm-backports main amd64 Debian_Backports bookworm-backports",
            "http://m.example/debian/ experimental main amd64 Debian rc-buggy",
            "http://m.example/debian/ bookworm-updates main amd64 Debian bookworm-updates", Self.security,
            "http://vendor.example/ bookworm stable amd64 Vendor bookworm",
            "http://debian.example/debian/ bookworm main amd64 Debian-Friends bookworm",
            "cdrom:[Debian]/ bookworm main amd64 Debian bookworm",
        ])
        #expect(
            found.lines == [
                "deb http://m.example/debian/ trixie main non-free-firmware",
                "deb http://m.example/debian/ trixie-updates main",
                "deb http://m.example/security/ trixie-security main",
            ]
        )
        #expect(found.notes.isEmpty)
    }

    @Test("a release that the host's sources call by a name that moves on is found by its code name")
    func movingNames() throws {
        let found = try sources([
            "http://m.example/debian/ oldstable main amd64 Debian bookworm",
            "mirror+file:/etc/apt/mirrors/security.list/ oldstable-security main amd64 Debian bookworm-security",
        ])
        #expect(
            found.lines == [
                "deb http://m.example/debian/ trixie main",
                "deb mirror+file:/etc/apt/mirrors/security.list/ trixie-security main",
            ]
        )
    }

    @Test("a host that follows the development has a mirror too, and a suite under development has no updates")
    func development() throws {
        let sid = "http://m.example/debian/ unstable main amd64 Debian sid"
        #expect(try sources([sid]).lines == ["deb http://m.example/debian/ trixie main"])
        #expect(
            try sources([Self.release, Self.security], suite: "sid").lines == ["deb http://m.example/debian/ sid main"]
        )
    }

    @Test("packages of a folder are copied, since the tree has no such folder")
    func folders() throws {
        #expect(
            try sources(["file:/srv/debian/ bookworm main amd64 Debian bookworm"]).lines == [
                "deb copy:/srv/debian/ trixie main"
            ]
        )
    }

    @Test("an archive of unknown origin is named and left out, unless it may be a part of Debian")
    func unread() throws {
        let found = try sources([Self.release], unread: ["http://vendor.example/ bookworm stable amd64"])
        #expect(found.lines == ["deb http://m.example/debian/ trixie main"])
        #expect(found.notes == ["apt can't tell whose http://vendor.example/ bookworm is; it is left out"])
        let error = #expect(throws: KilnError.self) {
            try sources([Self.release], unread: ["http://m.example/security/ bookworm-security main amd64"])
        }
        #expect(error?.code == .bakeNoMirror && error?.cause == "could not connect")
        #expect(error?.message == "apt on this host can't read http://m.example/security/ bookworm-security")
    }

    @Test("a host without Debian is told what its apt has, and asked for a mirror and a keyring by name")
    func elsewhere() throws {
        let error = #expect(throws: KilnError.self) {
            try sources(["http://u.example/ubuntu/ noble main amd64 Ubuntu noble"])
        }
        #expect(error?.code == .bakeNoMirror && error?.exit == .aborted)
        #expect(error?.message.hasSuffix("it has http://u.example/ubuntu/ noble of 'Ubuntu'") == true)
        for word in ["KILN_DEBIAN_MIRROR=URL", "KILN_DEBIAN_KEYRING=FILE", "mirror: URL", "debian-archive-keyring"] {
            #expect(error?.hint?.contains(word) == true, "\(error?.hint ?? "")")
        }
        #expect(throws: KilnError.self) { try sources([]) }
    }

    @Test(
        "a mirror that is named has the release and its updates, or the security updates",
        arguments: [
            (
                ["http://m.example/debian"],
                ["deb http://m.example/debian trixie main", "deb http://m.example/debian trixie-updates main"]
            ),
            (["http://m.example/debian-security/"], ["deb http://m.example/debian-security/ trixie-security main"]),
            (["deb [trusted=yes] file:/srv/x ./x main"], ["deb [trusted=yes] copy:/srv/x ./x main"]),
        ]
    )
    func named(mirrors: [String], lines: [String]) {
        #expect(DebianMirror.lines(mirrors, suite: "trixie") == lines)
    }

    @Test(
        "the packages of a day are taken however long ago their release was valid, and the day stands where it was asked for"
    )
    func snapshot() throws {
        let day = try #require(SnapshotDate("2026-11-01"))
        let lines = DebianMirror.ofSnapshot(day, mirrors: [], suite: "trixie")
        let debian = "https://snapshot.debian.org/archive/debian/20261101T000000Z"
        #expect(lines.first == "deb [check-valid-until=no] \(debian) trixie main" && lines.count == 3)
        let own = [
            "deb [trusted=yes] http://m.example/{snapshot} ./x main", "http://m.example/{snapshot}/debian-security",
        ]
        #expect(
            DebianMirror.ofSnapshot(day, mirrors: own, suite: "trixie") == [
                "deb [check-valid-until=no trusted=yes] http://m.example/20261101T000000Z ./x main",
                "deb [check-valid-until=no] http://m.example/20261101T000000Z/debian-security trixie-security main",
            ]
        )
        #expect(DebianMirror.lines(lines, suite: "trixie") == lines)
        #expect(DebianMirror.ofSnapshot(nil, mirrors: own, suite: "trixie") == own)
    }

    @Test("the environment names URLs, and nothing else")
    func environment() throws {
        #expect(try DebianMirror.named(in: " http://a.example/debian\nhttps://b.example ").count == 2)
        #expect(try DebianMirror.named(in: "").isEmpty)
        let error = #expect(throws: KilnError.self) { try DebianMirror.named(in: "m.example/debian") }
        #expect(error?.exit == .usage && error?.message.contains("'m.example/debian'") == true)
    }

    @Test("whose signature counts is said by either form of an entry")
    func signers() {
        func entry(_ text: String, _ number: Int, deb822: Bool) -> AptSourceEntry {
            AptSourceEntry(text: text, number: number, isDeb822: deb822)
        }
        let list = """
            # deb [signed-by=/no.gpg] http://x stable main
            deb http://x stable main
            deb\t[ arch=amd64 signed-by=/a.gpg,/b.asc  check-valid-until=no ] http://x stable main
            """
        #expect(entry(list, 1, deb822: false).options.isEmpty)
        #expect(entry(list, 2, deb822: false).signers == .host)
        #expect(entry(list, 3, deb822: false).signers == .files(["/a.gpg", "/b.asc"]))
        #expect(entry(list, 3, deb822: false).trustInLine == "[check-valid-until=no] ")
        #expect(entry(list, 9, deb822: false).options.isEmpty)
        let sources = """
            # Of the installer.

            Types: deb
            URIs: http://x
            Enabled: no

            Types: deb
            # Not the one before.
            Signed-By:
             -----BEGIN PGP PUBLIC KEY BLOCK-----
             .
             mQ==
             -----END PGP PUBLIC KEY BLOCK-----
            Trusted: yes

            signed-by: /usr/share/keyrings/a.gpg
            """
        let block = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQ==\n-----END PGP PUBLIC KEY BLOCK-----\n"
        #expect(entry(sources, 1, deb822: true).options["enabled"] == "no")
        #expect(entry(sources, 2, deb822: true).signers == .key(block))
        #expect(entry(sources, 2, deb822: true).trustInLine == "[trusted=yes] ")
        #expect(entry(sources, 3, deb822: true).signers == .files(["/usr/share/keyrings/a.gpg"]))
        // A fingerprint chooses among the host's keys.
        #expect(AptSourceEntry.Signers("4CB50190207B4758A3F73A796ED0E7B82643E131!") == .host)
    }

    @Test("apt in the tree reaches archives as the host's does, and nothing of that stays in the image")
    func hooks() throws {
        let folder = try TemporaryDirectory()
        let settings = HostApt.Settings(
            dump: [
                "APT::Architecture \"amd64\";", "Acquire::http::Proxy \"http://p.example:3128\";",
                "Acquire::Languages:: \"none\";", "Acquire::IndexTargets::deb::Packages::Optional \"0\";",
                "APT::Update::Post-Invoke:: \"rm\";",
            ],
            paths: ["a='/etc/apt/auth.conf'", "b='/etc/apt/auth.conf.d/'", "c='/etc/apt/trusted.gpg'"]
        )
        #expect(settings.trusted == ["/etc/apt/trusted.gpg"])
        let keys = [
            AptKeyring(file: "a", content: Data([0x99, 1])),
            AptKeyring(file: "b", content: Data("-----BEGIN PGP PUBLIC".utf8)),
        ]
        let debian = try #require(RecipeFixture().recipe().debian)
        let sources = DebianSources(lines: [], keyrings: keys, notes: [])
        let hooks = try TreeHooks(debian, sources: sources, settings: settings, folder: folder.path + "/a \"b")
        let quoted = folder.path + #"/a \"b"#
        #expect(
            hooks.arguments == [
                #"--setup-hook=mkdir -p "$1"/etc/apt/kiln"#,
                "--setup-hook=upload \"\(quoted)/apt.conf\" /etc/apt/apt.conf.d/99kiln",
                "--setup-hook=upload \"\(quoted)/0.gpg\" /etc/apt/kiln/0.gpg",
                "--setup-hook=upload \"\(quoted)/1.asc\" /etc/apt/kiln/1.asc",
                #"--customize-hook=chroot "$1" dpkg-query -W > "$1/.kiln-packages""#,
                #"--customize-hook=rm -r "$1"/etc/apt/kiln "$1"/etc/apt/apt.conf.d/99kiln"#,
            ]
        )
        let text = try String(contentsOfFile: folder.path + "/a \"b/apt.conf", encoding: .utf8)
        let credentials =
            geteuid() == 0
            ? "Dir::Etc::netrc \"/etc/apt/auth.conf\";\nDir::Etc::netrcparts \"/etc/apt/auth.conf.d/\";\n" : ""
        #expect(
            text == "Acquire::http::Proxy \"http://p.example:3128\";\n" + credentials
                + "Dir::Etc::trusted \"kiln/none.gpg\";\nDir::Etc::trustedparts \"kiln/\";\n"
        )
    }
}
