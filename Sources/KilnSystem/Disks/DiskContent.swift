/// The bytes of a disk, or of a part of one, read piece by piece.
public protocol DiskContent {
    /// How many there are.
    var size: UInt64 { get }

    /// `count` bytes from `offset` on; fewer only where the content ends.
    func bytes(at offset: UInt64, count: Int) throws -> [UInt8]
}

extension [UInt8]: DiskContent {
    /// How many bytes there are.
    public var size: UInt64 { UInt64(count) }

    /// A part of them.
    public func bytes(at offset: UInt64, count: Int) -> [UInt8] {
        guard offset < size, count > 0 else { return [] }
        let first = Int(offset)
        return Array(self[first..<first + Swift.min(count, self.count - first)])
    }
}

/// The content of a raw file.
public final class RawFile: DiskContent {
    /// How many bytes it has.
    public let size: UInt64
    private let file: OpenFile

    /// Opens a regular file.
    ///
    /// - Throws: `KilnError` with code `file.unreadable` or `file.not-regular`.
    public init(_ path: String) throws {
        file = try OpenFile(reading: path)
        size = UInt64(try file.size)
    }

    /// Reads a part of it.
    ///
    /// - Throws: `KilnError` with code `file.unreadable`.
    public func bytes(at offset: UInt64, count: Int) throws -> [UInt8] {
        guard offset < size, count > 0 else { return [] }
        var buffer = [UInt8](repeating: 0, count: count)
        let found = try buffer.withUnsafeMutableBytes { try file.read(into: $0, at: Int(offset)) }
        return Array(buffer.prefix(found))
    }
}
