import Crypto

/// One line of a ledger: `R NUMBER PAYLOAD CHECKSUM`.
///
/// The checksum is the first eight hexadecimal digits of
/// the sha256 of `NUMBER PAYLOAD`. A guest has `sha256sum` where it has any shell, unlike `cksum`.
struct LedgerRecord: Sendable, Hashable {
    /// The longest line that can be a record, in bytes.
    static let longest = 128

    /// What a line of a ledger holds.
    enum Line: Equatable {
        /// A whole record.
        case whole(Acknowledgement)
        /// A damaged record whose number can still be read.
        case damaged(UInt64)
        /// Nothing that says which record it was.
        case garbage
    }

    /// The record's number, from 1.
    let number: UInt64
    /// What tells it from records of the same number in other runs; without blanks.
    let payload: String

    /// The record as it is acknowledged.
    var acknowledgement: Acknowledgement {
        Acknowledgement(number: number, checksum: LedgerRecord.checksum(of: "\(number) \(payload)".utf8))
    }

    /// The line, without its newline.
    var line: String { "R \(number) \(payload) \(acknowledgement.digits)" }

    /// Reads a line without its newline.
    static func line(_ bytes: ArraySlice<UInt8>) -> Line {
        let fields = bytes.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard fields.count >= 3, Array(fields[0]) == [UInt8(ascii: "R")], let number = UInt64(digits: fields[1]) else {
            return .garbage
        }
        guard fields.count == 4, let checksum = UInt32(checksum: fields[3]), bytes.count <= longest,
            LedgerRecord.checksum(of: bytes[fields[1].startIndex..<fields[2].endIndex]) == checksum
        else { return .damaged(number) }
        return .whole(Acknowledgement(number: number, checksum: checksum))
    }

    private static func checksum(of bytes: some Sequence<UInt8>) -> UInt32 {
        SHA256.hash(data: Array(bytes)).prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }
}

extension UInt64 {
    /// Reads 1 to 15 decimal digits without a leading zero, so that every number has one way to be written.
    init?(digits: ArraySlice<UInt8>) {
        guard (1...15).contains(digits.count), digits.first != UInt8(ascii: "0") || digits.count == 1,
            digits.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        self = digits.reduce(0) { $0 * 10 + UInt64($1 - 0x30) }
    }
}

extension UInt32 {
    /// Reads eight lower-case hexadecimal digits.
    init?(checksum: ArraySlice<UInt8>) {
        guard checksum.count == 8, checksum.allSatisfy({ "0123456789abcdef".utf8.contains($0) }) else { return nil }
        self.init(String(decoding: checksum, as: UTF8.self), radix: 16)
    }
}
