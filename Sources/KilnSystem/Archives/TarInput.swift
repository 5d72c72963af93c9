import Foundation
import KilnModel

/// The bytes of an archive, from a file or a pipe, in order.
struct TarInput {
    private static let piece = 1 << 18

    private let descriptor: CInt
    private let name: String
    /// The bytes of the file; nothing for what can't be searched.
    private let size: Int?
    private var buffer: [UInt8] = []
    private var start = 0
    private var isAtEnd = false

    /// Reads what is open as `descriptor`, from where it stands; `name` is for errors.
    init(_ descriptor: CInt, named name: String) {
        self.descriptor = descriptor
        self.name = name
        var found = stat()
        let isRegular = fstat(descriptor, &found) == 0 && found.st_mode & S_IFMT == S_IFREG
        size = isRegular ? Int(found.st_size) : nil
    }

    /// The next bytes, fewer only at the end.
    ///
    /// - Throws: `file.unreadable`.
    mutating func read(_ count: Int) throws -> ArraySlice<UInt8> {
        while buffer.count - start < count, !isAtEnd { try fill() }
        let end = min(start + count, buffer.count)
        defer { start = end }
        return buffer[start..<end]
    }

    /// Goes on behind that many bytes.
    ///
    /// - Throws: `file.unreadable`, `TarArchive.Refusal` where there are not so many.
    mutating func skip(_ count: Int) throws {
        let buffered = min(count, buffer.count - start)
        start += buffered
        var rest = count - buffered
        if let size, rest > 0 {
            let place = lseek(descriptor, 0, SEEK_CUR)
            guard place >= 0 else { throw FileError.failed(.fileUnreadable, "read", name) }
            guard rest <= size - place else { throw TarArchive.Refusal.cutOff }
            guard lseek(descriptor, rest, SEEK_CUR) >= 0 else { throw FileError.failed(.fileUnreadable, "read", name) }
            return
        }
        while rest > 0 {
            let piece = try read(min(rest, TarInput.piece))
            guard !piece.isEmpty else { throw TarArchive.Refusal.cutOff }
            rest -= piece.count
        }
    }

    private mutating func fill() throws {
        buffer.removeFirst(start)
        start = 0
        let (kept, piece) = (buffer.count, TarInput.piece)
        buffer += [UInt8](repeating: 0, count: piece)
        var count = 0
        repeat {
            count = buffer.withUnsafeMutableBytes {
                Foundation.read(descriptor, $0.baseAddress.map { $0 + kept }, piece)
            }
        } while count < 0 && errno == EINTR
        guard count >= 0 else { throw FileError.failed(.fileUnreadable, "read", name) }
        buffer.removeLast(piece - count)
        isAtEnd = count == 0
    }
}
