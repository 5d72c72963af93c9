import Foundation
import KilnModel
import KilnTestSupport
import Testing

@testable import KilnStore

@Suite("Configurations that passed with an image")
struct ConfigurationTests {
    private let fixture: StoreFixture
    private let server: MemberID

    init() throws {
        fixture = try StoreFixture()
        server = MemberID(lab: try Name("shop"), server: try Name("web"))
    }

    private var store: ImageStore { fixture.store }

    private func spec(_ userData: JSONValue? = nil) throws -> ServerSpec {
        ServerSpec(image: try ImageReference("web:1"), volumes: [try Name("data"): "/data"], userData: userData)
    }

    @Test("what is the same to the guest is the same configuration, and what reaches it is not")
    func digest() throws {
        let first = try ServerConfiguration(of: spec()).digest
        var same = try spec()
        same.image = try ImageReference("web:2")
        same.volumes = [try Name("other"): "/data"]
        same.ports = [try Name("http"): PortSpec(guest: 80)]
        same.readyTimeout = .seconds(5)
        #expect(try ServerConfiguration(of: same).digest == first)
        var others = [try spec(.object(["packages": .array([])]))]
        for change in [
            { $0.memory = .mebibytes(512) }, { $0.volumes = [:] }, { $0.network = .isolated }, { $0.root = .volatile },
        ] as [(inout ServerSpec) -> Void] {
            var other = try spec()
            change(&other)
            others.append(other)
        }
        let digests = try others.map { try ServerConfiguration(of: $0).digest }
        #expect(Set(digests + [first]).count == others.count + 1)
    }

    @Test("a configuration passes with the image that it was seen with, and is known elsewhere")
    func verdicts() throws {
        let configuration = try StoreFixture.digest(7)
        let (first, second) = (try StoreFixture.digest(1), try StoreFixture.digest(2))
        #expect(try store.verdict(on: configuration, with: first) == .untested)
        try store.attest(ConfigurationPass(configuration, on: first, by: .rehearsal, of: server))
        #expect(try store.verdict(on: configuration, with: first) == .passed)
        #expect(try store.verdict(on: configuration, with: second) == .elsewhere)
        #expect(try store.verdict(on: try StoreFixture.digest(8), with: first) == .untested)
        #expect(try store.passes(of: configuration).map(\.basis) == [.rehearsal])
    }

    @Test("the record holds no word of the configuration, and is no one else's to read")
    func secrets() throws {
        let secret = try spec(.object(["password": .string("hunter2")]))
        let configuration = try ServerConfiguration(of: secret).digest
        let image = try StoreFixture.digest(1)
        try store.attest(ConfigurationPass(configuration, on: image, by: .launch, of: server))
        let path = "\(store.root)/configurations/\(configuration.hex)/\(image.hex).json"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(!text.contains("hunter2") && !text.contains("password"))
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test("a record that was carried to another configuration's or image's place says nothing there")
    func carried() throws {
        let (configuration, other) = (try StoreFixture.digest(7), try StoreFixture.digest(8))
        let (image, another) = (try StoreFixture.digest(1), try StoreFixture.digest(2))
        try store.attest(ConfigurationPass(configuration, on: image, by: .verify, of: server))
        let folder = "\(store.root)/configurations"
        let files = FileManager.default
        try files.copyItem(atPath: "\(folder)/\(configuration.hex)", toPath: "\(folder)/\(other.hex)")
        try files.copyItem(
            atPath: "\(folder)/\(configuration.hex)/\(image.hex).json",
            toPath: "\(folder)/\(configuration.hex)/\(another.hex).json"
        )
        #expect(try store.verdict(on: other, with: image) == .untested)
        #expect(try store.verdict(on: configuration, with: another) == .elsewhere)
    }

    @Test("an older version that passed comes before an image; else the one of its name that it was made from")
    func predecessor() async throws {
        let images = try (1...4).map { try fixture.seal("web:\($0)", mark: UInt8($0)) }
        let child = try fixture.seal("web:5", mark: 5, from: [images[0]])
        #expect(try store.predecessor(of: images[3]) == nil)
        #expect(try store.predecessor(of: child)?.manifest.version == "1")
        for image in images.prefix(3) { try fixture.attest(image.digest) }
        #expect(try store.predecessor(of: images[3])?.manifest.version == "3")
        #expect(try store.predecessor(of: images[0]) == nil)
        _ = try await store.revoke(try ImageReference("web:3"), why: "old")
        try fixture.attest(images[1].digest, .failed, suite: 2)
        #expect(try store.predecessor(of: child)?.manifest.version == "1")
    }
}
