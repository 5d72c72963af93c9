import Crypto
import Foundation
import KilnModel
import KilnSystem

/// The digests of files, read in pieces.
package enum FileDigest {
    private static let piece = 1 << 20

    /// The digest of a regular file's content.
    ///
    /// - Throws: `KilnError` with code `file.unreadable` or `file.not-regular`.
    package static func sha256(of path: String) throws -> ImageDigest { try sha256(of: try OpenFile(reading: path)) }

    /// The digest of an open file's content.
    ///
    /// - Throws: `KilnError` with code `file.unreadable`.
    package static func sha256(of file: borrowing OpenFile) throws -> ImageDigest {
        try digest(value(of: file, SHA256()), of: file.path)
    }

    /// What a hash function makes of an open file's content.
    ///
    /// - Throws: `KilnError` with code `file.unreadable`.
    package static func value<Function: HashFunction>(
        of file: borrowing OpenFile,
        _ empty: Function
    ) throws -> Function.Digest {
        var hash = empty
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: piece, alignment: 16)
        defer { buffer.deallocate() }
        var offset = 0
        while true {
            let count = try file.read(into: buffer, at: offset)
            if count == 0 { break }
            hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            offset += count
        }
        return hash.finalize()
    }

    /// The digest of bytes in memory.
    package static func sha256(_ bytes: Data) throws -> ImageDigest {
        try digest(SHA256.hash(data: bytes), of: "memory")
    }

    /// A finished hash as a digest.
    static func digest(_ value: SHA256.Digest, of path: String) throws -> ImageDigest {
        guard let digest = ImageDigest(value.hexadecimal) else {
            throw KilnError(.fileDigest, "the sha256 of \(path) is not 32 bytes")
        }
        return digest
    }
}
