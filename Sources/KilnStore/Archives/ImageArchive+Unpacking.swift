import Crypto
import Foundation
import KilnModel
import KilnSystem

extension ImageArchive {
    /// What an archive held: documents by name, and the digests of the files that were unpacked.
    struct Content: Sendable {
        var documents: [String: Data] = [:]
        var digests: [String: ImageDigest] = [:]
    }

    /// Unpacks an archive, which may be anything, into an empty folder.
    ///
    /// Only the names that an image can have are ever made, each once and as a regular file; the rest is refused by name.
    ///
    /// - Throws: `KilnError` with code `image.archive-refused`, `file.unreadable`, `file.not-regular` or
    ///   `file.unwritable`.
    static func unpack(_ path: String, into folder: String) throws -> Content {
        let archive = try OpenFile(reading: path)
        let end = try archive.size
        var content = Content()
        var offset = 0
        while let (block, size) = try header(archive, at: offset, end: end, path) {
            let name = try accepted(block, size, content, path)
            let start = offset + TarBlock.length
            let place = start..<start + size
            if name.hasSuffix(".json") {
                content.documents[name] = try document(archive, place)
            } else {
                content.digests[name] = try extract(archive, place, to: "\(folder)/\(name)")
            }
            offset = start + TarBlock.padded(size)
        }
        return content
    }

    private static func header(
        _ archive: borrowing OpenFile,
        at offset: Int,
        end: Int,
        _ path: String
    ) throws -> (TarBlock, Int)? {
        guard offset < end else { return nil }
        let bytes = try document(archive, offset..<offset + TarBlock.length)
        guard bytes.count == TarBlock.length else { throw refusal(path, "it ends within a header") }
        if TarBlock.isEnd(bytes) { return nil }
        do {
            let block = try TarBlock(bytes)
            let size = try block.size
            guard size <= end - offset - TarBlock.length else { throw refusal(path, "it ends too soon") }
            return (block, size)
        } catch let error as TarArchive.Refusal {
            throw refusal(path, "it \(error)")
        }
    }

    private static func accepted(
        _ block: TarBlock,
        _ size: Int,
        _ content: Content,
        _ path: String
    ) throws -> String {
        let shown = Name.quoted(Printable.text(block.name))
        guard let (name, limit) = files.first(where: { Array($0.name.utf8) == block.name }) else {
            throw refusal(path, "it holds \(shown), which no image has")
        }
        guard block.type == "0" else { throw refusal(path, "its \(shown) is no regular file") }
        guard content.documents[name] == nil, content.digests[name] == nil else {
            throw refusal(path, "it holds \(shown) twice")
        }
        guard size <= limit else { throw refusal(path, "its \(shown) has \(size) bytes, more than \(limit)") }
        return name
    }

    private static func document(_ archive: borrowing OpenFile, _ place: Range<Int>) throws -> Data {
        var bytes = Data(count: place.count)
        let count = try bytes.withUnsafeMutableBytes { try archive.read(into: $0, at: place.lowerBound) }
        return bytes.prefix(count)
    }

    private static func extract(
        _ archive: borrowing OpenFile,
        _ place: Range<Int>,
        to path: String
    ) throws -> ImageDigest {
        let file = try OpenFile(creating: path)
        var hash = SHA256()
        let count = try SparseCopy.copy(archive, place, to: file, at: 0) { hash.update(bufferPointer: $0) }
        try file.truncate(to: count)
        return try FileDigest.digest(hash.finalize(), of: path)
    }
}
