import Foundation
import KilnModel
import KilnSystem
import KilnTestSupport
import Testing

@testable import KilnStore

@Suite("The image store")
struct ImageStoreTests {
    private let folder: TemporaryDirectory
    private let store: ImageStore

    init() throws {
        folder = try TemporaryDirectory()
        store = ImageStore(root: folder.path + "/images")
    }

    /// Seals a disk that differs from others by its `mark`.
    private func seal(
        _ name: String,
        _ version: String,
        mark: UInt8,
        memory: ByteCount = .mebibytes(256),
        recipe: ImageDigest? = nil,
        tests: [Check]? = nil,
        origin: ImageOrigin? = nil
    ) throws -> StoredImage {
        var disk = CraftedDisk()
        disk.bytes[disk.bytes.count - 1] = mark
        let draft = "draft-\(UUID().uuidString)"
        _ = try folder.file("\(draft)/disk.qcow2", disk.bytes)
        _ = try folder.file("\(draft)/kernel", [1])
        _ = try folder.file("\(draft)/initrd", [2])
        var sealed = ImageStore.Draft(
            folder: "\(folder.path)/\(draft)",
            name: try Name(name),
            version: version,
            boot: .direct(commandLine: "quiet"),
            cloudInit: .subset,
            ssh: false,
            size: MachineSize(memory: memory, processors: 1),
            ephemeral: []
        )
        (sealed.recipe, sealed.tests, sealed.origin) = (recipe, tests, origin)
        return try store.seal(sealed)
    }

    private func reference(_ text: String) throws -> ImageReference { try ImageReference(text) }

    private func code(_ work: () async throws -> Void) async -> ErrorCode? {
        do {
            try await work()
            return nil
        } catch { return (error as? KilnError)?.code }
    }

    @Test("a name resolves to its newest version, by number")
    func newest() throws {
        for (version, mark) in [("2", 2), ("10", 10), ("1", 1)] as [(String, UInt8)] {
            _ = try seal("web", version, mark: mark)
        }
        #expect(try store.resolve(reference("web")).manifest.version == "10")
        #expect(try store.resolve(reference("web:2")).manifest.version == "2")
        let first = try store.resolve(reference("web:1"))
        #expect(try store.resolve(reference("web@\(first.manifest.digest)")) == first)
        #expect(try store.list().map(\.manifest.version) == ["1", "2", "10"])
    }

    @Test("a sealed image is read-only, and named by the digest of its disk")
    func sealed() throws {
        let image = try seal("web", "1", mark: 1)
        for path in [image.disk, try #require(image.kernel), try #require(image.initrd)] {
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o444)
        }
        #expect(try FileDigest.sha256(of: image.disk) == image.manifest.digest)
        #expect(image.disk.contains(image.manifest.digest.hex))
    }

    @Test("what is not there is missing, and a digest of another name too")
    func missing() async throws {
        let image = try seal("web", "1", mark: 1)
        for text in ["db", "web:2", "db@\(image.manifest.digest)"] {
            #expect(await code { _ = try store.resolve(reference(text)) } == "image.missing")
        }
    }

    @Test("a flipped byte is found in disk, kernel and initrd", arguments: ["disk.qcow2", "kernel", "initrd"])
    func flipped(file: String) async throws {
        let image = try seal("web", "1", mark: 1)
        _ = try await store.verifiedImage(reference("web"), for: .existing)
        let path = "\(store.content(image.manifest.digest))/\(file)"
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        bytes[bytes.count - 1] ^= 0x10
        chmod(path, 0o644)
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try handle.write(contentsOf: bytes)
        try handle.close()
        #expect(
            await code { _ = try await store.verifiedImage(reference("web"), for: .existing) }
                == "image.digest-mismatch"
        )
        #expect(await code { try await store.verify(image) } == "image.digest-mismatch")
    }

    @Test("an image that lost a file is not vouched for")
    func lost() async throws {
        let image = try seal("web", "1", mark: 1)
        unlink(try #require(image.initrd))
        #expect(
            await code { _ = try await store.verifiedImage(reference("web"), for: .existing) } == "image.file-missing"
        )
    }

    @Test("an untouched image is vouched for without reading it, a touched one after reading")
    func stamps() async throws {
        let image = try seal("web", "1", mark: 1)
        #expect(store.isUntouched(image))
        var times = [timespec(tv_sec: 1, tv_nsec: 0), timespec(tv_sec: 1, tv_nsec: 0)]
        #expect(utimensat(AT_FDCWD, image.disk, &times, 0) == 0)
        #expect(!store.isUntouched(image))
        _ = try await store.verifiedImage(reference("web"), for: .existing)
        #expect(store.isUntouched(image))
    }

    @Test("content goes when its last name goes")
    func removed() throws {
        let image = try seal("web", "1", mark: 1)
        _ = try seal("web", "2", mark: 1)
        try store.remove(reference("web:1"))
        #expect(FileManager.default.fileExists(atPath: image.disk))
        try store.remove(reference("web:2"))
        #expect(!FileManager.default.fileExists(atPath: image.disk))
        #expect(try store.list().isEmpty)
    }

    @Test("the same disk, baked again, has the tests of today; what a person went on with takes no recipe's place")
    func sameDiskTests() async throws {
        let key = try StoreFixture.digest(1)
        _ = try seal("web", "1", mark: 1, recipe: key, tests: [])
        let again = try seal("web", "1", mark: 1, recipe: key, tests: [Check(.agent)])
        #expect(again.manifest.tests == [Check(.agent)])
        let gone = try seal("web", "1", mark: 1, tests: [Check(.agent), Check(.cloudInit())], origin: ImageOrigin())
        #expect(gone.manifest.tests?.count == 2 && gone.manifest.recipe == key)
        let replaced = try await store.replaceTests(of: gone, by: [])
        #expect(replaced.manifest.tests == [] && store.isUntouched(replaced))
        #expect(try store.resolve(reference("web:1")).manifest == replaced.manifest)
        #expect(try seal("own", "1", mark: 1).manifest.tests == [], "who adds the disk says nothing of it")
    }

    @Test("a recipe that says otherwise of the same disk is heard, and refused by name where another name has it, too")
    func sameDisk() async throws {
        let keys = try (1...3).map { try StoreFixture.digest($0) }
        let first = try seal("web", "1", mark: 1, recipe: keys[0])
        let larger = try seal("web", "1", mark: 1, memory: .mebibytes(512), recipe: keys[1])
        #expect(larger.manifest.digest == first.manifest.digest && larger.manifest.recipe == keys[1])
        #expect(try store.resolve(reference("web:1")).manifest.size.memory == .mebibytes(512))
        _ = try seal("web", "2", mark: 1, memory: .mebibytes(512), recipe: keys[2])
        let error = #expect(throws: KilnError.self) { try seal("web", "2", mark: 1, recipe: keys[2]) }
        #expect(error?.code == .imageExists && error?.message.contains("as web:1") == true)
        #expect(error?.message.hasSuffix("with another memory") == true, "\(error?.message ?? "")")
        #expect(await code { _ = try seal("shop", "1", mark: 1) } == .imageExists)
    }

    @Test("content that no name leads to stays that of its first name, whoever else says something of it")
    func sameDiskOfNobody() throws {
        let digest = try seal("web", "1", mark: 1, recipe: try StoreFixture.digest(1)).manifest.digest
        _ = try seal("web", "1", mark: 2, recipe: try StoreFixture.digest(2))
        let shop = try seal("shop", "1", mark: 1, memory: .mebibytes(512), recipe: try StoreFixture.digest(3))
        #expect(shop.manifest.title == "shop:1" && shop.manifest.digest == digest)
        #expect(shop.manifest.size.memory == .mebibytes(512))
        #expect(try store.resolve(reference("shop:1")).manifest == shop.manifest)
        #expect(try store.resolve(reference("web@\(digest)")).manifest.name == Name("web"))
        try store.remove(reference("web:1"))
        #expect(try store.resolve(reference("web@\(digest)")).manifest.size.memory == .mebibytes(512))
    }

    @Test("a damaged manifest of any other image lets no disk have two settings")
    func sameDiskBesideDamage() async throws {
        _ = try seal("web", "1", mark: 1)
        let other = try seal("other", "1", mark: 2)
        let manifest = DurableFile.directory(of: other.disk) + "/manifest.json"
        unlink(manifest)
        try Data("no manifest".utf8).write(to: URL(fileURLWithPath: manifest))
        #expect(await code { _ = try seal("shop", "1", mark: 1, memory: .mebibytes(512)) } == .imageExists)
        #expect(try store.resolve(reference("web:1")).manifest.size.memory == .mebibytes(256))
    }

    @Test("a folder of a killed bake is removed, one of a living bake stays")
    func abandoned() throws {
        let living = try WorkFolder(in: store.work)
        let dead = "\(store.work)/dead"
        try DurableFile.makeDirectory(dead)
        try Data().write(to: URL(fileURLWithPath: "\(dead)/lock"))
        #expect(WorkFolder.abandoned(in: store.work) == [dead])
        #expect(FileManager.default.fileExists(atPath: living.path))
    }

    @Test("a listing is added to an image that was sealed without, and vouched for from then on")
    func listed() async throws {
        let image = try seal("web", "1", mark: 1)
        #expect(image.paths == nil)
        _ = try folder.file("listing/paths", Array("a listing\n".utf8))
        let listed = try store.addListing(in: folder.path + "/listing", to: image)
        let paths = try #require(listed.paths)
        #expect(listed.manifest.digest == image.manifest.digest)
        #expect(try store.resolve(reference("web")) == listed)
        #expect(try await store.verifiedImage(reference("web"), for: .existing).paths == paths)

        chmod(paths, 0o644)
        try Data("other".utf8).write(to: URL(fileURLWithPath: paths))
        #expect(
            await code { _ = try await store.verifiedImage(reference("web"), for: .existing) }
                == "image.digest-mismatch"
        )
    }
}
