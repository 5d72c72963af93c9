import Foundation
import KilnModel
import KilnSystem

/// Files that curl writes.
enum DownloadedFile {
    private static let piece = 1 << 20

    /// How many bytes a regular file has; nothing where there is none.
    static func size(_ path: String) -> UInt64? {
        var found = stat()
        guard lstat(path, &found) == 0, found.st_mode & S_IFMT == S_IFREG else { return nil }
        return UInt64(found.st_size)
    }

    /// Moves the content of one file to the end of another.
    static func append(_ rest: String, to path: String) throws {
        let input = try OpenFile(reading: rest)
        let output = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW)
        guard output >= 0 else { throw DurableFile.failure("open", path) }
        defer { close(output) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: piece, alignment: 16)
        defer { buffer.deallocate() }
        var offset = 0
        while true {
            let count = try input.read(into: buffer, at: offset)
            if count == 0 { break }
            try append(UnsafeRawBufferPointer(rebasing: buffer[..<count]), to: output, path)
            offset += count
        }
        unlink(rest)
    }

    private static func append(_ bytes: UnsafeRawBufferPointer, to output: CInt, _ path: String) throws {
        var done = 0
        while done < bytes.count {
            let count = write(output, bytes.baseAddress.map { $0 + done }, bytes.count - done)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw DurableFile.failure("write", path) }
            done += count
        }
    }
}

extension ByteCount {
    /// About how much it is, for people.
    var rounded: String {
        switch bytes {
        case ..<(10 << 10): "\(bytes) bytes"
        case ..<(10 << 20): "\(bytes >> 10) KiB"
        case ..<(10 << 30): "\(bytes >> 20) MiB"
        default: "\(bytes >> 30) GiB"
        }
    }
}
