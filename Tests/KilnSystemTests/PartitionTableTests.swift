import KilnTestSupport
import Testing

@testable import KilnSystem

@Suite("The partitions of a disk")
struct PartitionTableTests {
    private let size: UInt64 = 1 << 30

    private func table(_ crafted: CraftedTable) -> PartitionTable { PartitionTable(start: crafted.bytes, size: size) }

    @Test("a GPT is read with what its partitions are for, by the kernel's numbers")
    func gpt() {
        var crafted = CraftedTable(bootCode: true)
        crafted.gpt(lastUsable: (1 << 21) - 34)
        crafted.gpt(1, type: .root, first: 262_144, last: (1 << 21) - 34)
        crafted.gpt(14, type: .biosBoot, first: 2048, last: 8191)
        crafted.gpt(15, type: .system, first: 8192, last: 262_143)
        let table = table(crafted)
        #expect(table.scheme == .gpt && table.hasBootCode && !table.isCutOff)
        #expect(table.partitions.map(\.number) == [1, 14, 15])
        #expect(table.partitions.map(\.isBIOSBoot) == [false, true, false])
        #expect(table.partitions.map(\.isSystem) == [false, false, true])
        #expect(table.partitions[2].start == 4 << 20 && table.partitions[2].length == 124 << 20)
    }

    @Test("an MBR is read, and what protects a GPT is no partition")
    func mbr() {
        var crafted = CraftedTable()
        crafted.mbr(1, type: 0xef, first: 2048, count: 2048)
        crafted.mbr(3, type: 0x83, first: 4096, count: 4096)
        let table = table(crafted)
        #expect(table.scheme == .mbr && !table.hasBootCode)
        #expect(table.partitions.map(\.number) == [1, 3] && table.partitions.map(\.isSystem) == [true, false])
        var protected = CraftedTable()
        protected.mbr(1, type: 0xee, first: 1, count: .max)
        #expect(self.table(protected).scheme == .none)
    }

    @Test("what lies outside of the disk is no partition, however large its numbers are")
    func outside() {
        var crafted = CraftedTable()
        crafted.gpt(lastUsable: 34)
        for (number, range) in [
            (UInt64(1 << 21), UInt64(1 << 21)), (34, 1 << 21), (34, .max), (.max, .max), (100, 99), (0, 10),
            (1 << 63, 1 << 63),
        ].enumerated() {
            crafted.gpt(number + 1, type: .system, first: range.0, last: range.1)
        }
        #expect(table(crafted).partitions.isEmpty)
        var records = CraftedTable()
        records.mbr(1, type: 0x83, first: .max, count: .max)
        records.mbr(2, type: 0x83, first: 1, count: 1 << 21)
        #expect(table(records).partitions.isEmpty)
    }

    @Test("a disk that is shorter than its GPT says is cut off")
    func cutOff() {
        var crafted = CraftedTable()
        crafted.gpt(lastUsable: 1 << 21)
        #expect(table(crafted).isCutOff)
    }

    @Test("what is no table at all is none: zeros, text, a file system's boot sector, a disk of some bytes")
    func none() {
        var code = CraftedTable(bootCode: true)
        code.bytes.replaceSubrange(446..<510, with: [UInt8](repeating: 0x42, count: 64))
        let nothing = [
            [], [0x55], [UInt8](repeating: 0, count: 1 << 16), [UInt8](repeating: 0x20, count: 600),
            Array(code.bytes.prefix(511)),
        ]
        for bytes in nothing {
            let table = PartitionTable(start: bytes, size: UInt64(bytes.count))
            #expect(table.scheme == .none && !table.hasBootCode && table.partitions.isEmpty)
        }
        #expect(table(code).partitions.isEmpty && table(code).hasBootCode)
    }

    @Test("headers with spoilt bytes give partitions within the disk, and nothing worse", .timeLimit(.minutes(30)))
    func mutated() throws {
        var crafted = CraftedTable(bootCode: true)
        crafted.gpt(entries: 4, lastUsable: (1 << 21) - 34)
        crafted.gpt(1, type: .system, first: 2048, last: 4095)
        crafted.gpt(2, type: .root, first: 4096, last: 8191)
        var records = CraftedTable()
        records.mbr(1, type: 0xef, first: 2048, count: 2048)
        records.mbr(2, type: 0x83, first: 4096, count: 4096)
        let wholes = [crafted, records].map { Array($0.bytes.prefix(2048)) }
        // The fields that lead somewhere: entries of the MBR, the header of the GPT, its entries.
        let places = Array(446..<512) + Array(512..<604) + Array(1024..<1072) + Array(1152..<1200)
        for number in Mutations.numbers(20_000, of: 400_000) {
            var bytes = wholes[number % 2]
            Mutations.spoil(&bytes, in: places, number: number)
            let table = PartitionTable(start: bytes, size: size)
            let isInside = table.partitions.allSatisfy { $0.start <= size && $0.length <= size - $0.start }
            if !isInside { Issue.record("mutation \(number): \(table.partitions)") }
        }
    }
}
