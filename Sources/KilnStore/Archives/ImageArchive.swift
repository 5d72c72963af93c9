import Foundation
import KilnModel
import KilnSystem

/// An image in one file, to be carried to another store: a tar archive of regular files without folders.
///
/// ```
/// manifest.json, attestations.json, kernel, initrd, paths, disk.qcow2
/// ```
enum ImageArchive {
    /// The attestations, as a list.
    static let attestationsName = "attestations.json"

    /// The files that it may hold, in the order in which they are written, with the most bytes of each.
    static let files: [(name: String, limit: Int)] = [
        (ImageStore.manifestName, 16 << 20), (attestationsName, 64 << 20), ("kernel", 1 << 30), ("initrd", 4 << 30),
        (ImageStore.pathsName, 2 << 30), (ImageStore.diskName, Int(QCOW2Header.largest.bytes)),
    ]

    /// The error for a file that is no such archive.
    static func refusal(_ path: String, _ why: String) -> KilnError {
        KilnError(
            .imageArchiveRefused,
            "\(path) can't be taken as an image: \(why)",
            hint: "write one with 'kiln image export' and carry it over whole",
            exit: .invalidFile
        )
    }
}

/// Writes an image into a new file, the same bytes for the same image.
struct ImageArchiveWriter: ~Copyable {
    private let file: OpenFile
    private var offset = 0

    init(_ path: String) throws { file = try OpenFile(creating: path) }

    mutating func append(_ name: String, _ content: Data) throws {
        try begin(name, size: content.count)
        try content.withUnsafeBytes { try file.write($0, at: offset) }
        offset += TarBlock.padded(content.count)
    }

    mutating func append(_ name: String, from path: String) throws {
        let source = try OpenFile(reading: path)
        let size = try source.size
        try begin(name, size: size)
        let copied = try SparseCopy.copy(source, 0..<size, to: file, at: offset)
        guard copied == size else { throw FileError.notRegular(path) }
        offset += TarBlock.padded(size)
    }

    /// Ends the archive with two empty blocks, and makes it durable.
    func finish() throws {
        try file.truncate(to: offset + 2 * TarBlock.length)
        try file.synchronize()
    }

    private mutating func begin(_ name: String, size: Int) throws {
        try TarBlock(file: name, size: size).bytes.withUnsafeBytes { try file.write($0, at: offset) }
        offset += TarBlock.length
    }
}
