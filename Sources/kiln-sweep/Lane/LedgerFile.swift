import Crypto
import Foundation

/// Compares what was acknowledged with what a volume's file holds.
///
/// Written anew, and not taken from Kiln's own check: a mistake there must not hide here.
enum LedgerFile {
    /// What is wrong with a ledger.
    struct Verdict {
        /// Acknowledged records that are not there as they were written: missing or torn.
        var lost = 0
        /// Acknowledged records that are there more than once.
        var duplicated = 0
    }

    /// Looks for every acknowledged record among the lines `R NUMBER PAYLOAD CHECKSUM`.
    static func verdict(_ file: Data, acknowledged: some Sequence<Acknowledgement>) -> Verdict {
        var copies: [Acknowledgement: Int] = [:]
        for line in file.split(separator: UInt8(ascii: "\n")) {
            if let record = record(String(decoding: line, as: UTF8.self)) { copies[record, default: 0] += 1 }
        }
        var verdict = Verdict()
        for record in Set(acknowledged) {
            let count = copies[record] ?? 0
            if count == 0 { verdict.lost += 1 }
            if count > 1 { verdict.duplicated += 1 }
        }
        return verdict
    }

    private static func record(_ line: String) -> Acknowledgement? {
        let fields = line.split(separator: " ", omittingEmptySubsequences: false)
        guard fields.count == 4, fields[0] == "R" else { return nil }
        let digest = SHA256.hash(data: Data("\(fields[1]) \(fields[2])".utf8))
        let checksum = digest.prefix(4).map { String(format: "%02x", $0) }.joined()
        return checksum == fields[3] ? Acknowledgement(line: "\(fields[1]) \(checksum)") : nil
    }
}
