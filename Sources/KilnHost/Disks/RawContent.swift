import Crypto
import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem

/// What a raw disk held at a time, by clusters of a qcow2 layer; holes are never read, and zeros count as holes.
struct RawContent: Sendable {
    /// The size of the clusters that qemu-img makes.
    static let cluster = 65_536

    /// A cluster that is not all zeros.
    private struct Entry {
        let number: UInt64
        let digest: Digest
    }

    /// Half of a sha256, which is enough to find out that something changed.
    private struct Digest: Hashable {
        let first: UInt64
        let second: UInt64

        init(_ bytes: UnsafeRawBufferPointer) {
            (first, second) = SHA256.hash(data: bytes).withUnsafeBytes {
                ($0.loadUnaligned(as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            }
        }
    }

    private let entries: [Entry]

    /// Reads a disk.
    ///
    /// - Throws: `disk.unreadable`.
    init(of path: String) throws {
        var entries: [Entry] = []
        try SparseFile(path).forEachCluster { entries.append(Entry(number: $0, digest: Digest($1))) }
        self.entries = entries
    }

    /// Writes the clusters that a disk holds now, and did not hold so before, into a new sparse file of the given size.
    ///
    /// - Returns: what was something before, and is all zeros now.
    /// - Throws: `disk.unreadable`, `disk.not-made`.
    func writeChanges(of path: String, size: ByteCount, to changes: String) throws -> [Range<UInt64>] {
        let file = try SparseFile(path)
        guard UInt64(file.size) == size.bytes else {
            throw file.failed("can't be used", "it has \(file.size) bytes, expected \(size.bytes)")
        }
        let output = open(changes, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard output >= 0, ftruncate(output, file.size) == 0 else { throw RawContent.notMade(changes) }
        defer { close(output) }
        var emptied: [Range<UInt64>] = []
        var next = 0
        func skip(to number: UInt64) {
            while next < entries.count, entries[next].number < number {
                RawContent.append(entries[next].number, to: &emptied, size.bytes)
                next += 1
            }
        }
        try file.forEachCluster { number, bytes in
            skip(to: number)
            if next < entries.count, entries[next].number == number {
                next += 1
                if entries[next - 1].digest == Digest(bytes) { return }
            }
            let offset = Int(number) * RawContent.cluster
            let count = min(bytes.count, file.size - offset)
            guard pwrite(output, bytes.baseAddress, count, offset) == count else {
                throw RawContent.notMade(changes)
            }
        }
        skip(to: .max)
        return emptied
    }

    private static func append(_ number: UInt64, to ranges: inout [Range<UInt64>], _ size: UInt64) {
        let start = number * UInt64(cluster)
        guard start < size else { return }
        let end = min(start + UInt64(cluster), size)
        if let last = ranges.last, last.upperBound == start {
            ranges[ranges.count - 1] = last.lowerBound..<end
        } else {
            ranges.append(start..<end)
        }
    }

    private static func notMade(_ path: String) -> KilnError {
        let cause = String(cString: strerror(errno))
        // Less was written than asked for, or nothing.
        return FreeSpace.shortage(for: path, cause: cause)
            ?? KilnError(.diskNotMade, "\(path) can't be written", cause: cause, exit: .aborted)
    }
}

/// A file that is read where it has data.
private final class SparseFile {
    // SEEK_DATA and SEEK_HOLE, which Glibc's module lacks.
    private static let data: Int32 = 3
    private static let hole: Int32 = 4

    let size: Int
    private let path: String
    private let file: Int32

    init(_ path: String) throws {
        self.path = path
        file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        var found = stat()
        let isRegular = file >= 0 && fstat(file, &found) == 0 && found.st_mode & S_IFMT == S_IFREG
        size = isRegular ? Int(found.st_size) : 0
        guard isRegular else { throw failed("can't be read") }
    }

    deinit { if file >= 0 { close(file) } }

    /// Calls `body` with each cluster that is not all zeros, in order.
    ///
    /// One that the end of the file cuts off is filled up with zeros, as if the disk had been made larger.
    func forEachCluster(_ body: (_ number: UInt64, _ bytes: UnsafeRawBufferPointer) throws -> Void) throws {
        let cluster = RawContent.cluster
        // The second half stays zero, to compare with.
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * cluster, alignment: 4096)
        defer { buffer.deallocate() }
        guard let start = buffer.baseAddress else { return }
        memset(start, 0, buffer.count)
        var offset = 0
        while let data = try seek(offset, SparseFile.data) {
            let end = try seek(data, SparseFile.hole) ?? size
            offset = data / cluster * cluster
            while offset < end {
                let wanted = min(cluster, size - offset)
                guard wanted > 0, pread(file, start, wanted, offset) == wanted else {
                    throw failed("can't be read at \(offset)")
                }
                memset(start + wanted, 0, cluster - wanted)
                if memcmp(start, start + cluster, cluster) != 0 {
                    try body(UInt64(offset / cluster), UnsafeRawBufferPointer(start: start, count: cluster))
                }
                offset += cluster
            }
        }
    }

    func failed(_ what: String, _ cause: String? = nil) -> KilnError {
        let cause = cause ?? String(cString: strerror(errno))
        return KilnError(.diskUnreadable, "\(path) \(what)", cause: cause, exit: .aborted)
    }

    /// Nothing where there is no more data.
    private func seek(_ offset: Int, _ what: Int32) throws -> Int? {
        guard offset < size else { return nil }
        let found = lseek(file, offset, what)
        guard found >= 0 else {
            if errno == ENXIO { return nil }
            throw failed("can't be searched for data")
        }
        return found
    }
}
