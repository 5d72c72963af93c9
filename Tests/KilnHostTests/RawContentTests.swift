import Foundation
import Glibc
import KilnModel
import KilnSystem
import Testing

@testable import KilnHost

/// Layers that hold what an edit of a copy changed.
@Suite("Changes of a disk")
struct RawContentTests {
    private let directory: TestDirectory
    private let disks = QEMUDiskTool(owner: nil)
    private static let cluster = RawContent.cluster

    init() throws { directory = try TestDirectory() }

    private func path(_ name: String) -> String { directory.path + "/" + name }

    private func write(_ byte: UInt8, _ count: Int, at offset: Int, in file: String) {
        let bytes = [UInt8](repeating: byte, count: count)
        let descriptor = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        defer { close(descriptor) }
        #expect(pwrite(descriptor, bytes, count, offset) == count)
    }

    /// A disk whose size is no whole number of clusters, with data in the clusters 0–3, 8 and in the last.
    private func makeDisk() async throws {
        let raw = path("raw")
        write(1, 4 * Self.cluster, at: 0, in: raw)
        write(2, 100, at: 8 * Self.cluster + 7, in: raw)
        try #require(truncate(raw, 20 * Self.cluster + 4096) == 0)
        write(3, 4096, at: 20 * Self.cluster, in: raw)
        try await Command("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", raw, path("1.qcow2")]).run()
    }

    private func edit(_ size: UInt64? = nil, _ change: @escaping (String) -> Void) async throws {
        try await disks.edited(path("1.qcow2"), into: path("2.qcow2")) { raw in
            change(raw)
            change(path("raw"))
            return size.map { ByteCount(bytes: $0) }
        }
        let comparison = ["compare", "-f", "raw", "-F", "qcow2", path("raw"), path("2.qcow2")]
        let compared = try await Command("qemu-img", comparison).result()
        #expect(compared.status == 0, "\(compared.text)")
        let size = try FileManager.default.attributesOfItem(atPath: path("raw"))[.size] as? UInt64
        #expect(try disks.examineLayer(path("2.qcow2"), over: "1.qcow2").bytes == size)
        #expect(directory.names == ["1.qcow2", "2.qcow2", "raw"])
    }

    /// The clusters that the layer itself holds.
    private func held() async throws -> Set<Int> {
        struct Extent: Decodable {
            let start: Int
            let length: Int
            let depth: Int
            let present: Bool
        }
        let map = try await Command("qemu-img", ["map", "-f", "qcow2", "--output=json", path("2.qcow2")]).run()
        let extents = try JSONDecoder().decode([Extent].self, from: Data(map.output))
        return Set(
            extents.filter { $0.depth == 0 && $0.present }.flatMap {
                $0.start / Self.cluster..<($0.start + $0.length + Self.cluster - 1) / Self.cluster
            }
        )
    }

    @Test("an edit that changes nothing makes an empty layer")
    func nothing() async throws {
        try await makeDisk()
        // Written again, and written where a hole was.
        try await edit {
            write(1, Self.cluster, at: 0, in: $0)
            write(0, Self.cluster, at: 12 * Self.cluster, in: $0)
        }
        #expect(try await held().isEmpty)
    }

    @Test("what changed, what is new and what became zeros is in the layer, and nothing else")
    func changes() async throws {
        try await makeDisk()
        try await edit {
            write(9, 1, at: Self.cluster + 5, in: $0)
            write(0, 2 * Self.cluster, at: 2 * Self.cluster, in: $0)
            write(4, 10, at: 15 * Self.cluster - 5, in: $0)
            write(0, 4096, at: 20 * Self.cluster, in: $0)
        }
        #expect(try await held() == [1, 2, 3, 14, 15, 20])
    }

    @Test("a larger disk is larger by nothing but what was written there")
    func larger() async throws {
        try await makeDisk()
        let size = UInt64(1) << 40
        try await edit(size) {
            truncate($0, Int(size))
            write(5, 4096, at: Int(size) - 4096, in: $0)
        }
        #expect(try await held() == [Int(size) / Self.cluster - 1])
    }

    @Test("thousands of clusters that became zeros are written down")
    func manyZeros() async throws {
        let raw = path("raw")
        for number in 0..<1_200 { write(7, 512, at: number * 2 * Self.cluster, in: raw) }
        try #require(truncate(raw, 2_400 * Self.cluster) == 0)
        try await Command("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", raw, path("1.qcow2")]).run()
        try await edit { file in for number in 0..<1_200 { write(0, 512, at: number * 2 * Self.cluster, in: file) } }
        #expect(try await held().count == 1_200)
    }

    @Test("a copy that got another length than it should have is refused, and nothing is left")
    func wrongLength() async throws {
        try await makeDisk()
        let error = await #expect(throws: KilnError.self) {
            try await disks.edited(path("1.qcow2"), into: path("2.qcow2")) { raw in
                truncate(raw, Self.cluster)
                return nil
            }
        }
        #expect(error?.code == .diskUnreadable)
        #expect(directory.names == ["1.qcow2", "raw"])
    }
}
