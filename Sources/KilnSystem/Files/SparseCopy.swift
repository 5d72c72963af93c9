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
        try output.truncate(to: try copy(input, 0..<Int.max, to: output, at: 0))
        try output.synchronize()
    }

    /// Copies a part of a file into another one, where nothing was written before.
    ///
    /// - Parameter each: is given what is copied, piece by piece.
    /// - Returns: how many bytes there were: fewer than asked for where the file ends before.
    /// - Throws: `KilnError` with code `file.unreadable` or `file.unwritable`.
    @discardableResult
    public static func copy(
        _ input: borrowing OpenFile,
        _ part: Range<Int>,
        to output: borrowing OpenFile,
        at place: Int,
        each: (UnsafeRawBufferPointer) -> Void = { _ in }
    ) throws -> Int {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: piece, alignment: 16)
        defer { buffer.deallocate() }
        var done = 0
        while done < part.count {
            let wanted = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(piece, part.count - done)])
            let count = try input.read(into: wanted, at: part.lowerBound + done)
            if count == 0 { break }
            let bytes = UnsafeRawBufferPointer(rebasing: wanted[..<count])
            each(bytes)
            if bytes.contains(where: { $0 != 0 }) { try output.write(bytes, at: place + done) }
            done += count
        }
        return done
    }
}
