import Crypto
import Foundation
import KilnModel
import KilnScenarios
import Testing

/// A ledger as the writer makes it.
struct Ledger {
    static let run = "8f0a1c9e-4b1d-4f0c-9d7e-0123456789ab"

    var lines: [String]
    let acknowledgements: [Acknowledgement]

    /// Records 1 to `count`, all acknowledged.
    init(_ count: UInt64) {
        let records = (1...count).map { number in
            let sum = SHA256.hash(data: Data("\(number) \(Ledger.run)".utf8)).prefix(4).map { byte in
                let digits = String(byte, radix: 16)
                return digits.count == 1 ? "0" + digits : digits
            }
            return (number: number, sum: sum.joined())
        }
        lines = records.map { "R \($0.number) \(Ledger.run) \($0.sum)" }
        acknowledgements = records.compactMap { record in
            UInt32(record.sum, radix: 16).map { Acknowledgement(number: record.number, checksum: $0) }
        }
    }

    var text: String { lines.map { $0 + "\n" }.joined() }

    func verdict(_ text: String? = nil, pieces: Int = 7) -> LedgerVerdict {
        let bytes = Array((text ?? self.text).utf8)
        let cuts = stride(from: 0, to: bytes.count, by: pieces).map { bytes[$0..<min($0 + pieces, bytes.count)] }
        return LedgerCheck.verdict(acknowledged: acknowledgements, volumeContents: cuts)
    }
}

@Suite("The verdict on a ledger")
struct LedgerCheckTests {
    private func verdict(lost: Int = 0, torn: Int = 0, duplicated: Int = 0, unacknowledged: Int = 0) -> LedgerVerdict {
        LedgerVerdict(acknowledged: 20, lost: lost, torn: torn, duplicated: duplicated, unacknowledged: unacknowledged)
    }

    @Test("a whole ledger is clean, in pieces of any size", arguments: [1, 2, 7, 64, 4096])
    func clean(pieces: Int) {
        #expect(Ledger(20).verdict(pieces: pieces) == verdict())
    }

    @Test("a missing record is lost")
    func lost() {
        var ledger = Ledger(20)
        ledger.lines.remove(at: 6)
        #expect(ledger.verdict() == verdict(lost: 1))
    }

    @Test("an empty file has lost everything")
    func empty() {
        #expect(Ledger(20).verdict("") == verdict(lost: 20))
    }

    @Test("a record that is cut off or changed is torn", arguments: ["R 7 8f0a1c", "R 7 x 00000000", "R 7 "])
    func torn(line: String) {
        var ledger = Ledger(20)
        ledger.lines[6] = line
        #expect(ledger.verdict() == verdict(torn: 1))
    }

    @Test("one flipped bit anywhere in a record is noticed")
    func flippedBits() throws {
        let whole = Ledger(20)
        for index in whole.lines[6].utf8.indices {
            var ledger = whole
            var bytes = Array(whole.lines[6].utf8)
            bytes[whole.lines[6].utf8.distance(from: whole.lines[6].utf8.startIndex, to: index)] ^= 1
            ledger.lines[6] = try #require(String(validating: bytes, as: UTF8.self))
            let found = ledger.verdict()
            #expect(found.lost + found.torn == 1, "\(ledger.lines[6])")
        }
    }

    @Test("a record that is there twice is duplicated; a damaged copy beside a whole one is nothing")
    func duplicated() {
        var ledger = Ledger(20)
        ledger.lines.append(ledger.lines[6])
        #expect(ledger.verdict() == verdict(duplicated: 1))
        ledger.lines[20] = "R 7 8f0a"
        #expect(ledger.verdict() == verdict())
    }

    @Test("what nobody acknowledged is no fault: a torn tail, a whole record, zeros after a crash")
    func unacknowledged() {
        let longer = Ledger(21)
        let ledger = Ledger(20)
        #expect(ledger.verdict(longer.text) == verdict(unacknowledged: 1))
        #expect(ledger.verdict(String(longer.text.dropLast(9))) == verdict())
        #expect(ledger.verdict(ledger.text + String(repeating: "\0", count: 5000)) == verdict())
        #expect(ledger.verdict(String(ledger.text.dropLast(1))) == verdict())
    }

    @Test("a number that is given again after a restore does not pass for the acknowledged record")
    func restored() {
        var ledger = Ledger(20)
        let payload = "20 other"
        let sum = SHA256.hash(data: Data(payload.utf8)).prefix(4).map {
            String($0 >> 4, radix: 16) + String($0 & 15, radix: 16)
        }
        ledger.lines[19] = "R \(payload) \(sum.joined())"
        #expect(ledger.verdict() == verdict(lost: 1, unacknowledged: 1))
    }
}

@Suite("Acknowledgements")
struct AcknowledgementTests {
    @Test("garbage is counted and never taken for an acknowledgement")
    func garbage() {
        var parser = AcknowledgementParser()
        let stream =
            "1 0000000a\n\n1\n01 0000000a\n2 xyz00000\n3 0000000b \n" + String(repeating: "9", count: 100_000)
            + "\n4 0000000A\n5 0000000c\n6 0000"
        let found = stream.utf8.flatMap { parser.take([$0]) }
        #expect(found == [Acknowledgement(number: 1, checksum: 10), Acknowledgement(number: 5, checksum: 12)])
        #expect(parser.garbage == 7)
        #expect(parser.take("000d\n".utf8) == [Acknowledgement(number: 6, checksum: 13)])
    }

    @Test("the list outlives its owner, and a torn tail is cut off before the next line")
    func list() throws {
        try withFolder { folder in
            let path = folder.appending(path: "acknowledged").path
            let records = Ledger(5).acknowledgements
            try fill(path, Array(records[..<3]))
            let handle = try FileHandle(forWritingTo: URL(filePath: path))
            try handle.seekToEnd()
            try handle.write(contentsOf: Data("4 00".utf8))
            try handle.close()
            #expect(try AcknowledgementList.read(path) == Array(records[..<3]))
            try fill(path, Array(records[3...]))
            #expect(try AcknowledgementList.read(path) == records)
        }
    }

    @Test("a damaged list, or one that can't be made, is an error that names it")
    func damagedList() throws {
        try withFolder { folder in
            let path = folder.appending(path: "acknowledged").path
            try Data("1 0000000a\nx\n".utf8).write(to: URL(filePath: path))
            let damaged = #expect(throws: KilnError.self) { try AcknowledgementList.read(path) }
            #expect(damaged?.code == .ledgerListFailed)
            #expect(damaged?.message.contains(path) == true)
            let missing = #expect(throws: KilnError.self) { try fill(path + "/x", []) }
            #expect(missing?.code == .ledgerListFailed)
        }
    }

    private func fill(_ path: String, _ records: [Acknowledgement]) throws {
        var list = try AcknowledgementList(at: path)
        try list.append(records)
        #expect(list.count == records.count)
    }
}
