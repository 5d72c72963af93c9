import Foundation
import KilnModel
import KilnSystem

/// The bytes of a journal: a first line that names format and version, then records of length, CRC-32C and JSON.
///
/// A record that was cut off or damaged at the very end is a torn tail: it was never acknowledged, so it is ignored. One
/// with a whole record after it is a torn middle: history is missing, so the journal is refused.
enum JournalCodec {
    static let header = Data("kiln-journal 1\n".utf8)
    private static let largestRecord = 1 << 20

    /// The records.
    static func decode<Record: Decodable>(
        _ data: Data,
        as _: Record.Type = JournalRecord.self,
        path: String
    ) throws -> [Record] {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        let payloads = try payloads(data, path: path).payloads
        // One document for all, where they are what they should be, takes a third of the time, of which 'ps' has little.
        var document = Array("[".utf8)
        for (index, payload) in payloads.enumerated() {
            if index > 0 { document += ",".utf8 }
            document += payload
        }
        let all = try? decoder.decode([Record].self, from: Data(document + "]".utf8))
        if let all, all.count == payloads.count { return all }
        return try payloads.map { try record($0, decoder, path: path) }
    }

    /// How many bytes of the file are whole.
    static func wholeBytes(_ data: Data, path: String) throws -> Int { try payloads(data, path: path).end }

    private static func payloads(_ data: Data, path: String) throws -> (payloads: [ArraySlice<UInt8>], end: Int) {
        let bytes = [UInt8](data)
        guard bytes.count >= header.count else {
            guard header.starts(with: bytes) else { throw unknownFormat(path) }
            return ([], 0)
        }
        guard bytes.starts(with: header) else { throw unknownFormat(path) }
        var payloads: [ArraySlice<UInt8>] = []
        var offset = header.count
        while offset < bytes.count {
            guard let (payload, end) = payload(bytes, at: offset) else {
                try refuseTornMiddle(bytes, after: offset, path: path)
                break
            }
            payloads.append(payload)
            offset = end
        }
        return (payloads, offset)
    }

    /// The bytes of one record.
    static func encode(_ record: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let payload = try encoder.encode(record)
        var bytes = Data()
        for word in [UInt32(payload.count), CRC32C.checksum(payload)] {
            withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) }
        }
        return bytes + payload
    }

    private static func payload(_ bytes: [UInt8], at offset: Int) -> (ArraySlice<UInt8>, Int)? {
        guard offset + 8 <= bytes.count else { return nil }
        let (first, second) = bytes.withUnsafeBytes {
            (
                UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self)),
                UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self))
            )
        }
        let length = Int(first)
        guard length > 0, length <= largestRecord, offset + 8 + length <= bytes.count else { return nil }
        let payload = bytes[(offset + 8)..<(offset + 8 + length)]
        guard CRC32C.checksum(payload) == second else { return nil }
        return (payload, offset + 8 + length)
    }

    private static func refuseTornMiddle(_ bytes: [UInt8], after offset: Int, path: String) throws {
        // The length of a damaged record can't be trusted, so a whole record is looked for at every offset.
        for start in (offset + 1)..<max(bytes.count, offset + 2) where payload(bytes, at: start) != nil {
            throw KilnError(
                .journalTorn,
                "the journal \(path) is damaged at byte \(offset), with whole records after it",
                hint: "Kiln can't know what is missing: put the file back as it was, or give the lab's machines up and "
                    + "keep its volumes with 'kiln down LAB'",
                exit: .halted
            )
        }
    }

    private static func record<Record: Decodable>(
        _ payload: ArraySlice<UInt8>,
        _ decoder: JSONDecoder,
        path: String
    ) throws -> Record {
        do {
            return try decoder.decode(Record.self, from: Data(payload))
        } catch {
            throw KilnError(
                .journalFuture,
                "the journal \(path) holds a record that this version of Kiln does not know",
                hint: "use the version of Kiln that wrote it",
                cause: String(describing: error),
                exit: .halted
            )
        }
    }

    private static func unknownFormat(_ path: String) -> KilnError {
        KilnError(
            .journalFuture,
            "\(path) is not a journal of format 1",
            hint: "use the version of Kiln that wrote it",
            exit: .halted
        )
    }
}
