import Foundation
import KilnDocuments
import KilnModel
import KilnSystem
import KilnTestSupport
import Synchronization
import Testing

@testable import KilnBakery
@testable import KilnStore

@Suite("Recipes that download")
struct DownloadRecipeTests {
    private static let digest = String(repeating: "ab", count: 64)
    private static let text = """
        kiln-image: 1
        name: web
        about: What others publish.
        download:
          urls:
            - url: https://a.example/${BUILD}/web-${KILN_VERSION}.qcow2
              sha512: ${SHA512}
            - https://a.example/latest/web.qcow2
          sums: SHA512SUMS
          firmware: uefi
        memory: 256MiB
        processors: 2
        cloud-init: full
        ssh: true
        versions: { "12": { BUILD: b1, SHA512: \(digest) }, "13": { BUILD: b2, SHA512: \(digest) } }
        """

    @Test("each version has its places, with its variables in them")
    func model() throws {
        let recipe = try RecipeFixture(Self.text).recipe()
        let download = try #require(recipe.download)
        #expect(download.firmware == .uefi && download.sources.keys.sorted() == ["12", "13"])
        let sources = try #require(download.sources["13"])
        #expect(
            sources.map(\.place.description) == [
                "https://a.example/b2/web-13.qcow2", "https://a.example/latest/web.qcow2",
            ]
        )
        #expect(sources[0].checksums == [try #require(Checksum(Self.digest))] && sources[0].sums == nil)
        #expect(sources[1].checksums.isEmpty && sources[1].sums?.description == "https://a.example/latest/SHA512SUMS")
    }

    @Test(
        "one mistake gives one problem that says where it is and what is meant",
        arguments: [
            (
                "${BUILD}/web", "${BUILT}/web",
                "6:12: download.urls[0].url: version 12 has no variable 'BUILT' (did you mean 'BUILD'?)"
            ),
            ("https://a.example/latest", "ftp://a.example/latest", "8:7: download.urls[1]: expected an address"),
            ("https://a.example/latest", "https://u:p@a.example/latest", "8:7: download.urls[1]: 'https://…@a.example"),
            ("  sums: SHA512SUMS\n", "", "8:7: download.urls[1]: nothing says what the file has to be"),
            ("sums: SHA512SUMS", "sums: a/SHA512SUMS", "9:9: download.sums: expected an address"),
            (
                "firmware: uefi", "firmware: efi",
                "10:13: download.firmware: expected one of bios, uefi (did you mean 'uefi'?)"
            ),
            ("sha512: ${SHA512}", "sha512: 1234abcd", "7:15: download.urls[0].sha512: expected 128 hexadecimal digits"),
            (
                "SHA512: \(digest) }, ", "SHA512: abc }, ",
                "7:15: download.urls[0].sha512: 'abc', for version 12, is no sha512"
            ),
            ("memory:", "disk: 1GiB\nmemory:", "11:7: disk: a disk that is downloaded is taken as it is"),
            ("sums: SHA", "sum: SHA", "9:3: download.sum: unknown field (did you mean 'sums'?)"),
            (
                "{ BUILD: b1", "{ provision: [], BUILD: b1",
                "15:32: versions.12.provision: a disk that is downloaded is taken as it is"
            ),
        ]
    )
    func mistakes(from: String, to: String, problem: String) throws {
        #expect(Self.text.contains(from))
        let found = try RecipeFixture(Self.text.replacing(from, with: to)).problems
        #expect(found.contains { $0.hasPrefix(problem) }, "\(found)")
    }

    @Test("the schema takes it, and refuses what the decoder refuses for its structure")
    func schema() throws {
        let checker = SchemaChecker(RecipeSchema.document)
        #expect(try checker.problems(Self.text).isEmpty)
        for (from, to) in [
            ("sha512: ${SHA512}", "sha512: ${sha}"), ("https://a.example/latest", "ftp://a"), ("urls:", "url:"),
            ("firmware: uefi", "firmware: efi"), ("sums: SHA512SUMS", "sums: a/b"),
        ] {
            #expect(try !RecipeFixture(Self.text.replacing(from, with: to)).problems.isEmpty, "\(to)")
            #expect(try !checker.problems(Self.text.replacing(from, with: to)).isEmpty, "\(to)")
        }
    }

    @Test("the pattern of a form says what its test says")
    func patterns() throws {
        let texts = [
            "", "https://", "https://a", "http://a b", "SHA512SUMS", "a/b", "/a", "${X}", "${x}", "${}", "${X", "$X}",
            "ftp://a",
            Self.digest, String(repeating: "A", count: 64), String(repeating: "g", count: 64), "https://ä", "ä",
        ]
        for form in [TextForm.downloadURL, .sums, .sha256, .sha512] {
            for text in texts {
                let isFound = try text.firstMatch(of: Regex(form.pattern)) != nil
                #expect(form.accepts(text) == isFound, "\(form.expected): \(text)")
            }
        }
    }

    @Test("what stands for a variable is not looked through again")
    func variables() throws {
        let version = Recipe.Version(name: "1", from: nil, variables: ["A": "${B}", "B": "b"])
        #expect(try VersionText.text("x${A}y${KILN_VERSION}$A}", for: version) == "x${B}y1$A}")
        #expect(throws: VersionText.UnknownVariable(name: "C")) { try VersionText.text("${C}", for: version) }
        #expect(throws: VersionText.UnknownVariable(name: "A")) { try VersionText.text("${A", for: version) }
    }

    @Test("a place that has it no more is passed over, aloud; what is there and is another file ends all")
    func fallback() async throws {
        let folder = try TemporaryDirectory()
        let disks = ["12", "13"].map { version in
            (name: "web-\(version).qcow2", bytes: CraftedDisk.bootable.bytes.dropLast() + Array(version.utf8.suffix(1)))
        }
        let sums = try disks.map { disk in
            "\(try Checksum(of: folder.file(disk.name, Array(disk.bytes)), .sha512).hex)  \(disk.name)\n"
        }
        let server = try TestServer { peer in
            let name = peer.path.split(separator: "/").last ?? ""
            let disk = disks.first { $0.name == name }
            switch (peer.path.split(separator: "/").first, disk) {
            case ("latest", let disk?), ("other", let disk?): FileServer(content: Array(disk.bytes)).answer(peer)
            case ("latest", nil): FileServer(content: Array(sums.joined().utf8)).answer(peer)
            default: peer.send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            }
        }
        let host = "http://127.0.0.1:\(server.port)"
        let text = Self.text.replacing("https://a.example", with: host).replacing(
            "firmware: uefi",
            with: "firmware: bios"
        )
        .replacing("SHA512SUMS", with: "SUMS").replacing("latest/web", with: "latest/web-${KILN_VERSION}")
        let store = ImageStore(root: folder.path + "/images")
        let told = Mutex<[String]>([])
        let baker = Baker(store: store, roots: UnlistedRoots()) { line in told.withLock { $0.append(line) } }
        let fixture = try RecipeFixture(text)
        let images = try await baker.bake(try fixture.recipe())
        #expect(images.map(\.manifest.version) == ["12", "13"] && images[0].manifest.boot == .firmware(.bios))
        #expect(told.withLock { $0 }.contains { $0.contains("passed over") && $0.contains("404") })
        let asked = server.requests.count
        _ = try await baker.bake(try fixture.recipe())
        #expect(server.requests.count == asked)

        let larger = try RecipeFixture(text.replacing("memory: 256MiB", with: "memory: 512MiB"))
        let changed = try await baker.bake(try larger.recipe())
        #expect(changed.map(\.manifest.digest) == images.map(\.manifest.digest))
        #expect(changed.allSatisfy { $0.manifest.size.memory == .mebibytes(512) })
        told.withLock { $0 = [] }
        _ = try await baker.bake(try larger.recipe())
        #expect(told.withLock { $0 } == ["web:12 is taken already", "web:13 is taken already"])

        let lying = try RecipeFixture(text.replacing("${BUILD}", with: "other"))
        let error = await #expect(throws: KilnError.self) { try await baker.bake(try lying.recipe()) }
        #expect(error?.code == .checksumMismatch)
        withExtendedLifetime((fixture, larger, lying, folder)) {}
    }
}
