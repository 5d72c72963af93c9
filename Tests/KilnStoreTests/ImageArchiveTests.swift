import Foundation
import KilnModel
import KilnSystem
import KilnTestSupport
import Synchronization
import Testing

@testable import KilnStore

@Suite("An image in one file")
struct ImageArchiveTests {
    private let source: StoreFixture
    private let target: StoreFixture
    private let image: ImageManifest
    private let file: String

    init() async throws {
        source = try StoreFixture()
        target = try StoreFixture()
        let package = ImageManifest.Package(name: "bash", version: "5", architecture: "amd64", source: "bash")
        image = try source.seal("web:1", mark: 1, packages: [package])
        try source.attest(image.digest)
        file = source.folder.path + "/web.tar"
        _ = try await source.store.exportImage(try ImageReference("web"), to: file)
    }

    @Test("what waits for somebody who deletes images says for whom")
    func waits() async throws {
        let waiting = Mutex<[KilnError]>([])
        let exporting: Task<StoredImage, any Error>
        do {
            let deletion = try await ImageLock.take(.exclusive, ofStore: source.store.root)
            let (store, again) = (source.store, source.folder.path + "/again.tar")
            exporting = Task {
                try await store.exportImage(try ImageReference("web"), to: again) { held in
                    waiting.withLock { $0.append(held) }
                }
            }
            while waiting.withLock({ $0.isEmpty }) { try await Task.sleep(for: .milliseconds(5)) }
            withExtendedLifetime(deletion) {}
        }
        _ = try await exporting.value
        #expect(waiting.withLock { $0.map(\.code) } == [.lockHeld])
        #expect(waiting.withLock { $0.first?.message.contains("\(getpid())") } == true)
    }

    private func entries() throws -> [(name: String, content: [UInt8])] {
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: file)))
        return try TarArchive(bytes, limit: 1 << 30).entries.map { entry in
            guard case .file(let place) = entry.kind else { return ("", []) }
            return (String(decoding: entry.path.joined(), as: UTF8.self), Array(bytes[place]))
        }
    }

    private func archive(_ entries: [(name: String, content: [UInt8])]) throws -> String {
        var bytes: [UInt8] = []
        for (name, content) in entries {
            bytes += TarBlock(file: name, size: content.count).bytes + content
            bytes += [UInt8](repeating: 0, count: TarBlock.padded(content.count) - content.count)
        }
        return try target.folder.file(
            "\(UUID().uuidString).tar",
            bytes + [UInt8](repeating: 0, count: 2 * TarBlock.length)
        )
    }

    /// Why an archive is refused; the store is as it was.
    private func refusal(_ path: String) async throws -> KilnError? {
        let error = await #expect(throws: KilnError.self) { try await target.store.importImage(from: path) }
        #expect(try target.store.catalog().images.isEmpty && target.store.catalog().unnamed.isEmpty)
        let left = (try? FileManager.default.contentsOfDirectory(atPath: target.store.work)) ?? []
        #expect(left.isEmpty)
        return error
    }

    @Test(
        "a file gets its name by each of the ways, also a long one, and never that of another file",
        arguments: NewName.allCases
    )
    func named(way: NewName) async throws {
        let reference = try ImageReference("web:1")
        let long = source.folder.path + "/" + String(repeating: "n", count: 250)
        _ = try await source.store.exportImage(reference, to: long, by: [way])
        #expect(try Data(contentsOf: URL(fileURLWithPath: long)) == Data(contentsOf: URL(fileURLWithPath: file)))
        let link = source.folder.path + "/link"
        #expect(symlink("nowhere", link) == 0)
        for place in [long, link] {
            let error = await #expect(throws: KilnError.self) {
                try await source.store.exportImage(reference, to: place, by: [way])
            }
            #expect(error?.code == .diskExists)
        }
        let none = await #expect(throws: KilnError.self) {
            try await source.store.exportImage(reference, to: source.folder.path + "/none/web.tar", by: [way])
        }
        #expect(none?.code == .fileUnwritable)
    }

    @Test("what comes out is what went in, and its tests are another store's word")
    func whole() async throws {
        let found = try await target.store.importImage(from: file)
        #expect(found.manifest == image)
        try await target.store.verify(found)
        #expect(try FileDigest.sha256(of: found.disk) == image.digest)
        #expect(try target.store.isAttested(image.digest))
        #expect(try target.store.attestations(of: image.digest).map(\.isImported) == [true])
        let mode = try FileManager.default.attributesOfItem(atPath: found.disk)[.posixPermissions] as? Int
        #expect(mode == 0o444)
    }

    @Test("the same image gives the same bytes, which every tar reads; a file that is there stays")
    func written() async throws {
        let again = source.folder.path + "/again.tar"
        _ = try await source.store.exportImage(try ImageReference("web:1"), to: again)
        #expect(try Data(contentsOf: URL(fileURLWithPath: again)) == Data(contentsOf: URL(fileURLWithPath: file)))
        #expect(try entries().map(\.name) == ["manifest.json", "attestations.json", "kernel", "disk.qcow2"])
        let error = await #expect(throws: KilnError.self) {
            try await source.store.exportImage(try ImageReference("web:1"), to: again)
        }
        #expect(error?.code == .diskExists)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: source.folder.path).filter { $0.contains(".kiln-") }
                == []
        )
        let listed = try await Command("tar", ["-tf", file], deadline: .seconds(30)).run().text
        #expect(listed.split(separator: "\n").map(String.init) == (try entries().map(\.name)))
    }

    @Test("what this store found of the content is not overruled")
    func ownWord() async throws {
        try target.attest(image.digest, .failed)
        _ = try await target.store.importImage(from: file)
        #expect(try target.store.verdict(on: image.digest) == .failed)
    }

    @Test("a name that is taken, and content that is revoked, are refused")
    func taken() async throws {
        _ = try await target.store.importImage(from: file)
        let taken = await #expect(throws: KilnError.self) { try await target.store.importImage(from: file) }
        #expect(taken?.code == .imageExists)
        _ = try await target.store.revoke(try ImageReference("web:1"), why: "a hole")
        try target.store.remove(try ImageReference("web:1"))
        #expect(try await refusal(file)?.code == .imageRevoked)
    }

    @Test("a changed byte in any file is found before the image is there", arguments: ["kernel", "disk.qcow2"])
    func changed(name: String) async throws {
        var entries = try entries()
        let index = try #require(entries.firstIndex { $0.name == name })
        entries[index].content[entries[index].content.count - 1] ^= 1
        let error = try await refusal(archive(entries))
        #expect(error?.code == .imageArchiveRefused && error?.message.contains("its '\(name)' should be") == true)
    }

    @Test(
        "what no image has, what leads elsewhere, and what stands there twice is refused by name",
        arguments: ["../disk.qcow2", "/etc/passwd", "kernel/../x", "./kernel", "lock", "kernel", "disk.qcow2\n"]
    )
    func names(name: String) async throws {
        let error = try await refusal(archive(try entries() + [(name, [1])]))
        #expect(error?.code == .imageArchiveRefused)
        #expect(error?.message.contains("which no image has") == true || error?.message.contains("twice") == true)
    }

    @Test("links, folders and devices are refused", arguments: ["1", "2", "3", "5", "6", "L", "x", "g", "S"])
    func kinds(type: String) async throws {
        var block = TarBlock(file: "initrd", size: 0).bytes
        block[156] = try #require(type.utf8.first)
        block.replaceSubrange(157..<168, with: Array("/etc/passwd".utf8))
        let sum = block.reduce(0) { $0 + Int($1) } - block[148..<156].reduce(0) { $0 + Int($1) } + 8 * 32
        let digits = String(sum, radix: 8)
        block.replaceSubrange(
            148..<156,
            with: Array((String(repeating: "0", count: 6 - digits.count) + digits).utf8) + [0, 0x20]
        )
        let rest = Array(try Data(contentsOf: URL(fileURLWithPath: file)))
        let error = try await refusal(target.folder.file("kind.tar", block + rest))
        #expect(error?.code == .imageArchiveRefused && error?.message.contains("no regular file") == true)
    }

    @Test("a file that is cut off anywhere, empty, or none is refused")
    func cutOff() async throws {
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: file)))
        for length in [0, 1, 511, 512, 700, 5_000, bytes.count / 2, bytes.count - 1_025] {
            let error = try await refusal(target.folder.file("cut.tar", Array(bytes.prefix(length))))
            #expect(error?.code == .imageArchiveRefused, "\(length)")
        }
        let noise = (0..<2_048).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }
        #expect(try await refusal(target.folder.file("noise.tar", noise))?.code == .imageArchiveRefused)
        #expect(try await refusal(target.folder.path)?.code == .fileNotRegular)
    }

    @Test(
        "a manifest that says what can't be is refused",
        arguments: [
            ("version", "../../x"), ("commandLine", "quiet\ninit=/bin/sh"), ("processors", "0"), ("memory", "1MiB"),
            ("virtualSize", "5GiB"), ("digest", "sha256:" + String(repeating: "0", count: 64)),
        ]
    )
    func manifest(field: String, value: String) async throws {
        var entries = try entries()
        var fields = try #require(
            try JSONSerialization.jsonObject(with: Data(entries[0].content)) as? [String: Any]
        )
        switch field {
        case "commandLine": fields["boot"] = ["direct": ["commandLine": value]]
        case "processors": fields[field] = 0
        default: fields[field] = value
        }
        entries[0].content = Array(try JSONSerialization.data(withJSONObject: fields))
        #expect(try await refusal(archive(entries))?.code == .imageArchiveRefused)
    }

    @Test("attestations of another image, and what is none, are refused; an archive without any is taken")
    func attestations() async throws {
        var entries = try entries()
        try source.attest(try StoreFixture.digest(5))
        let other = try source.store.attestations(of: try StoreFixture.digest(5)).map(\.attestation)
        for content in [Array("{".utf8), Array(try JSONEncoder().encode(other))] {
            entries[1].content = content
            #expect(try await refusal(archive(entries))?.code == .imageArchiveRefused)
        }
        entries.remove(at: 1)
        _ = try await target.store.importImage(from: try archive(entries))
        #expect(try target.store.verdict(on: image.digest) == .untested)
    }

    @Test("a disk that needs another file is refused for its header")
    func header() async throws {
        var disk = CraftedDisk()
        disk.putLong(104, at: 8)
        disk.put(4, at: 16)
        disk.put("evil", at: 104)
        let path = try target.folder.file("evil.qcow2", disk.bytes)
        var entries = try entries()
        let digest = try FileDigest.sha256(of: path).description
        var fields = try #require(
            try JSONSerialization.jsonObject(with: Data(entries[0].content)) as? [String: Any]
        )
        fields["digest"] = digest
        entries[0].content = Array(try JSONSerialization.data(withJSONObject: fields))
        entries[3].content = disk.bytes
        let error = try await refusal(archive(entries))
        #expect(error?.code.rawValue.hasPrefix("image.refused.") == true, "\(String(describing: error))")
    }
}
