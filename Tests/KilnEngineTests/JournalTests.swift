import Foundation
import KilnModel
import KilnSystem
import KilnTestSupport
import Testing

@testable import KilnEngine

@Suite struct JournalTests {
    private let events: [JournalEvent] = [
        .power(on: true), .entered(.plan), .completed(.plan, milliseconds: 12), .power(on: false),
    ]

    private func journal(in directory: TemporaryDirectory) throws -> ServerJournal {
        let journal = ServerJournal(path: directory.path + "/journal")
        for event in events { try journal.append(event) }
        return journal
    }

    private func bytes(_ journal: ServerJournal) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: journal.path))
    }

    private func write(_ data: Data, to journal: ServerJournal) throws {
        try data.write(to: URL(fileURLWithPath: journal.path))
    }

    /// The offsets at which records begin, and the end.
    private func bounds(_ data: Data) throws -> [Int] {
        var bounds = [JournalCodec.header.count]
        for record in try JournalCodec.decode(data, path: "") {
            bounds.append((bounds.last ?? 0) + (try JournalCodec.encode(record).count))
        }
        return bounds
    }

    @Test("what is appended is read back in order, by this process or another")
    func roundTrip() throws {
        let directory = try TemporaryDirectory()
        let journal = try journal(in: directory)
        let records = try ServerJournal(path: journal.path).records()
        #expect(records.map(\.event) == events)
        #expect(records.allSatisfy { $0.pid == getpid() })
        #expect(try bounds(try bytes(journal)).last == (try bytes(journal).count))
    }

    @Test("a step of an older Kiln was never booted again, and one without restarts is written as it was then")
    func restarts() throws {
        let old = #"{"completed":{"_0":"healthy","milliseconds":5}}"#
        let event = JournalEvent.completed(.healthy, milliseconds: 5)
        #expect(try JSONDecoder().decode(JournalEvent.self, from: Data(old.utf8)) == event)
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        #expect(String(decoding: try encoder.encode(event), as: UTF8.self) == old)
    }

    @Test("a journal that is not there, empty, or cut in its first line holds nothing, and can be appended to")
    func empty() throws {
        let directory = try TemporaryDirectory()
        let journal = ServerJournal(path: directory.path + "/journal")
        #expect(try journal.records().isEmpty)
        for length in 0...JournalCodec.header.count {
            try write(JournalCodec.header.prefix(length), to: journal)
            #expect(try journal.records().isEmpty)
            try journal.append(.power(on: true))
            #expect(try journal.records().map(\.event) == [.power(on: true)])
        }
    }

    @Test("a torn tail is ignored at every byte, and cut off by the next append")
    func tornTail() throws {
        let directory = try TemporaryDirectory()
        let journal = try journal(in: directory)
        let whole = try bytes(journal)
        let bounds = try bounds(whole)
        for length in JournalCodec.header.count...whole.count {
            let complete = bounds.lastIndex { $0 <= length } ?? 0
            try write(whole.prefix(length), to: journal)
            #expect(try journal.records().map(\.event) == Array(events.prefix(complete)), "cut at \(length)")
            try journal.append(.resumed)
            #expect(
                try journal.records().map(\.event) == Array(events.prefix(complete)) + [.resumed],
                "cut at \(length)"
            )
        }
    }

    @Test("a tail of zeros, as a file system may leave after a power cut, is ignored")
    func zeroTail() throws {
        let directory = try TemporaryDirectory()
        let journal = try journal(in: directory)
        try write(try bytes(journal) + Data(count: 4096), to: journal)
        #expect(try journal.records().map(\.event) == events)
        try journal.append(.resumed)
        #expect(try journal.records().count == events.count + 1)
    }

    @Test("a flipped bit in any byte of a record with whole records after it is refused, and nothing is cut off")
    func tornMiddle() throws {
        let directory = try TemporaryDirectory()
        let journal = try journal(in: directory)
        let whole = try bytes(journal)
        let bounds = try bounds(whole)
        for offset in bounds[1]..<bounds[2] {
            for bit in [UInt8(1), 0x80] {
                var damaged = whole
                damaged[offset] ^= bit
                try write(damaged, to: journal)
                let error = try #require(throws: KilnError.self, "byte \(offset)") { try journal.records() }
                #expect(error.code == .journalTorn)
                #expect(error.exit == .halted)
                #expect(throws: KilnError.self) { try journal.append(.resumed) }
                #expect(try bytes(journal) == damaged)
            }
        }
    }

    @Test("a flipped bit in the last record makes it a torn tail")
    func damagedLast() throws {
        let directory = try TemporaryDirectory()
        let journal = try journal(in: directory)
        let whole = try bytes(journal)
        let bounds = try bounds(whole)
        for offset in bounds[events.count - 1]..<whole.count {
            var damaged = whole
            damaged[offset] ^= 0x10
            try write(damaged, to: journal)
            #expect(try journal.records().map(\.event) == Array(events.dropLast()))
        }
    }

    @Test(
        "a journal of another format is refused and not touched",
        arguments: ["kiln-journal 2\n", "kiln-journal 1.5", "something else entirely", "k1ln"]
    )
    func future(_ header: String) throws {
        let directory = try TemporaryDirectory()
        let journal = ServerJournal(path: directory.path + "/journal")
        try write(Data(header.utf8), to: journal)
        let error = try #require(throws: KilnError.self) { try journal.records() }
        #expect(error.code == .journalFuture)
        #expect(throws: KilnError.self) { try journal.append(.resumed) }
        #expect(try bytes(journal) == Data(header.utf8))
    }

    @Test("a whole record of an unknown kind is refused, because its meaning may matter")
    func futureRecord() throws {
        let directory = try TemporaryDirectory()
        let journal = try journal(in: directory)
        let payload = Data(#"{"event":{"migrated":{}},"pid":1,"time":"2030-01-01T00:00:00Z"}"#.utf8)
        var record = Data()
        for word in [UInt32(payload.count), CRC32C.checksum(payload)] {
            withUnsafeBytes(of: word.littleEndian) { record.append(contentsOf: $0) }
        }
        try write(try bytes(journal) + record + payload, to: journal)
        #expect(try #require(throws: KilnError.self) { try journal.records() }.code == .journalFuture)
    }

    @Test("the checksum is CRC-32C")
    func checksum() {
        #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xe306_9283)
        #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
    }
}
