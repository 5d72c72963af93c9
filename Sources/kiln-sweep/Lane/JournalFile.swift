import Foundation

/// Reads a server's journal as its format is documented: a first line, then records of length, CRC-32C and JSON.
enum JournalFile {
    /// What is wrong with it; nothing where every record is whole.
    static func problem(_ data: Data) -> String? { read(data).problem }

    /// The generation that the latest replacement was to lead to.
    static func latestTarget(_ data: Data) -> Int? {
        read(data).records.reversed().lazy.compactMap { record in
            let event = record["event"] as? [String: Any]
            let began = event?["began"] as? [String: Any]
            return (began?["_0"] as? [String: Any])?["to"] as? Int
        }.first
    }

    /// What happened, up to the first record that is not whole.
    static func events(_ data: Data) -> [[String: Any]] {
        read(data).records.compactMap { $0["event"] as? [String: Any] }
    }

    /// The records up to the first that is not whole, and what is wrong with that one.
    private static func read(_ data: Data) -> (records: [[String: Any]], problem: String?) {
        let bytes = [UInt8](data)
        var records: [[String: Any]] = []
        let header = Array("kiln-journal 1\n".utf8)
        guard bytes.starts(with: header) else {
            return ([], "the journal does not begin with 'kiln-journal 1'")
        }
        var offset = header.count
        while offset < bytes.count {
            guard offset + 8 <= bytes.count else {
                return (records, "the journal ends within a record, at byte \(offset)")
            }
            let (length, checksum) = (Int(word(bytes, offset)), word(bytes, offset + 4))
            guard length > 0, offset + 8 + length <= bytes.count else {
                return (records, "the journal ends within a record, at byte \(offset)")
            }
            let payload = bytes[(offset + 8)..<(offset + 8 + length)]
            guard crc32c(payload) == checksum else { return (records, "the journal is damaged at byte \(offset)") }
            guard let record = try? JSONSerialization.jsonObject(with: Data(payload)) as? [String: Any] else {
                return (records, "the journal's record at byte \(offset) is not a JSON object")
            }
            records.append(record)
            offset += 8 + length
        }
        return (records, nil)
    }

    private static func word(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << (8 * UInt32($1)) }
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? (value >> 1) ^ 0x82f6_3b78 : value >> 1 }
    }

    private static func crc32c(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        ~bytes.reduce(~UInt32(0)) { ($0 >> 8) ^ table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] }
    }
}
