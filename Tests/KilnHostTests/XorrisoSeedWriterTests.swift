import Foundation
import KilnEngine
import KilnModel
import KilnSystem
import Testing

@testable import KilnHost

@Suite("Seed disks and keys")
struct XorrisoSeedWriterTests {
    private let directory: TestDirectory
    private let writer: XorrisoSeedWriter

    init() throws {
        directory = try TestDirectory()
        writer = XorrisoSeedWriter(home: directory.path, owner: nil)
    }

    @Test("a seed is private, carries its label and its files, and replaces an old one")
    func writes() async throws {
        let seed = directory.path + "/seed.iso"
        let old = Array("old".utf8)
        let packed: [UInt8] = [0x1f, 0x8b, 0, 0xff, 0x0a]
        try await writer.writeSeed(["meta-data": old, "vendor-data": old], to: seed)
        try await writer.writeSeed(["meta-data": Array("instance-id: i-1\n".utf8), "user-data": packed], to: seed)
        #expect(directory.names == ["seed.iso"])
        #expect(directory.mode("seed.iso") == "600")
        // ECMA-119: the volume identifier is at byte 40 of the primary descriptor in sector 16.
        let bytes = try #require(FileManager.default.contents(atPath: seed))
        #expect(bytes[(32_768 + 40)..<(32_768 + 46)].elementsEqual("CIDATA".utf8))
        let out = directory.path + "/out"
        try await Command("xorriso", ["-osirrox", "on", "-indev", seed, "-extract", "/", out]).run()
        #expect(try FileManager.default.contentsOfDirectory(atPath: out).sorted() == ["meta-data", "user-data"])
        #expect(FileManager.default.contents(atPath: out + "/meta-data") == Data("instance-id: i-1\n".utf8))
        #expect(FileManager.default.contents(atPath: out + "/user-data") == Data(packed))
        try await Command("chmod", ["-R", "u+w", out]).run()
    }

    @Test(
        "a file name that leaves the seed is refused, and nothing is left",
        arguments: ["../x", "", ".", "a/b", "A b"]
    )
    func refusesNames(_ name: String) async throws {
        let error = await #expect(throws: KilnError.self) {
            try await writer.writeSeed([name: [0x78]], to: directory.path + "/seed.iso")
        }
        #expect(error?.code == .seedInvalidName)
        #expect(directory.names.isEmpty)
    }

    @Test("two host keys differ and are of the kind that was asked for")
    func hostKeys() async throws {
        let first = try await writer.makeHostKey(comment: "root@web")
        let second = try await writer.makeHostKey(comment: "root@web")
        #expect(first.publicKey.hasPrefix("ssh-ed25519 ") && first.publicKey.hasSuffix(" root@web\n"))
        #expect(first.privateKey.hasPrefix("-----BEGIN OPENSSH PRIVATE KEY-----\n"))
        #expect(first.publicKey != second.publicKey)
    }

    @Test("the user's key is made once, also by many at once, and is private")
    func userKey() async throws {
        let keys = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<4 { group.addTask { try await writer.userPublicKey() } }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(keys.count == 1)
        #expect(directory.names == ["ssh"])
        #expect(directory.mode("ssh") == "700")
        #expect(directory.mode("ssh/id_ed25519") == "600")
    }
}
