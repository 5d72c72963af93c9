import Foundation
import KilnModel

/// Copies files of any size; blocks of zeros become holes.
public enum SparseCopy {
    private static let piece = 1 << 20

    /// Copies the regular file `source` to the new file `target` and synchronises it.
    ///
    /// - Throws: `KilnError` with code `file.unreadable`, `file.not-regular` or `file.unwritable`.
    public static func copy(_ source: String, to target: String) throws {
        let input = try OpenFile(reading: source)
        let output = try OpenFile(creating: target)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: piece, alignment: 16)
        defer { buffer.deallocate() }
        var offset = 0
        while true {
            let count = try input.read(into: buffer, at: offset)
            if count == 0 { break }
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            if bytes.contains(where: { $0 != 0 }) { try output.write(bytes, at: offset) }
            offset += count
        }
        try output.truncate(to: offset)
        try output.synchronize()
    }
}
