import Crypto
import Foundation
import KilnModel
import KilnStore
import KilnSystem

/// What a file's content has to be, as its publisher says: a sha256 or a sha512.
public struct Checksum: Sendable, Hashable, CustomStringConvertible {
    /// The function that made it.
    public enum Algorithm: String, Sendable, Hashable, CaseIterable {
        /// 64 hexadecimal digits.
        case sha256
        /// 128 hexadecimal digits.
        case sha512

        var digits: Int { self == .sha256 ? 64 : 128 }
    }

    /// The function.
    public let algorithm: Algorithm
    /// Its value, in lower-case hexadecimal digits.
    public let hex: String

    /// Accepts 64 or 128 hexadecimal digits in either case, whose number tells the function.
    public init?(_ text: String) {
        guard let algorithm = Algorithm.allCases.first(where: { $0.digits == text.utf8.count }),
            text.utf8.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit })
        else { return nil }
        self.algorithm = algorithm
        hex = text.lowercased()
    }

    /// Accepts what a user gives as the value of a function.
    ///
    /// - Throws: `KilnError` with code `checksum.invalid`.
    public init(_ algorithm: Algorithm, _ text: String) throws {
        guard let checksum = Checksum(text), checksum.algorithm == algorithm else {
            throw KilnError(
                .checksumInvalid,
                "\(Name.quoted(text)) is no \(algorithm.rawValue): expected \(algorithm.digits) hexadecimal digits",
                hint: "copy it whole from the publisher's list, or name the list itself with --sums",
                exit: .usage
            )
        }
        self = checksum
    }

    /// Reads `ALGORITHM:HEX`, as ``description`` writes it.
    init?(written text: String) {
        let parts = text.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, let checksum = Checksum(String(parts[1])), checksum.algorithm.rawValue == parts[0]
        else {
            return nil
        }
        self = checksum
    }

    /// The checksum of a regular file's content.
    ///
    /// - Throws: `KilnError` with code `file.unreadable` or `file.not-regular`.
    init(of path: String, _ algorithm: Algorithm) throws {
        self.algorithm = algorithm
        switch algorithm {
        case .sha256: hex = try FileDigest.value(of: try OpenFile(reading: path), SHA256()).hexadecimal
        case .sha512: hex = try FileDigest.value(of: try OpenFile(reading: path), SHA512()).hexadecimal
        }
    }

    /// The function and the digits.
    public var description: String { "\(algorithm.rawValue):\(hex)" }
}

extension Sequence<Checksum> {
    /// The first that the content of a file does not have, with what it has instead; nothing where it has all.
    func firstMismatch(with path: String) throws -> (expected: Checksum, found: Checksum)? {
        for expected in self {
            let found = try Checksum(of: path, expected.algorithm)
            if found != expected { return (expected, found) }
        }
        return nil
    }

    /// Refuses a file whose content does not have all of them.
    ///
    /// - Throws: `KilnError` with code `checksum.mismatch`, `file.unreadable` or `file.not-regular`.
    func require(of path: String, as name: String) throws {
        guard let (expected, found) = try firstMismatch(with: path) else { return }
        throw KilnError(
            .checksumMismatch,
            "\(name) is not what its checksum says: expected \(expected), found \(found)"
                + (HTMLPage.isOne(path) ? "; it is a page for browsers" : ""),
            hint:
                "nothing was made of it. Either it was damaged or exchanged on its way, or its publisher has replaced it since: "
                + "compare with the list of checksums that lies beside it",
            exit: .invalidFile
        )
    }
}

/// What servers send in place of a file.
enum HTMLPage {
    /// Whether a file begins as a page for browsers does.
    static func isOne(_ path: String) -> Bool {
        guard let start = try? RawFile(path).bytes(at: 0, count: 256) else { return false }
        let text = String(decoding: start, as: UTF8.self).lowercased().drop { $0.isWhitespace }
        return text.hasPrefix("<!doctype html") || text.hasPrefix("<html")
    }
}
