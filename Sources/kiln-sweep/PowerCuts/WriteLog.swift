import Foundation
import KilnOutside

/// What QEMU's blklogwrites recorded of a disk: every write and flush, in order.
///
/// The format is that of dm-log-writes: a sector with the header, then for each entry a sector with its place, length and
/// flags, followed by what was written.
/// https://www.kernel.org/doc/html/latest/admin-guide/device-mapper/log-writes.html
struct WriteLog {
    /// One entry.
    struct Entry {
        let offset: Int
        let length: Int
        /// Where its data lie in the log; nothing for a discard, after which zeros are read.
        let data: Int?
        let isFlush: Bool
        /// The disk had it when it was done, without a flush.
        let isForced: Bool
    }

    let entries: [Entry]
    private let bytes: Data

    /// Where in the file the header's count of entries stands: QEMU brings it up to date with every flush.
    static let countOffset = 16
    private static let magic: UInt64 = 0x6a73_6677_736872
    private enum Flag {
        static let flush: UInt64 = 1
        static let forced: UInt64 = 2
        static let discard: UInt64 = 4
    }

    /// Reads a log whose recorder has ended.
    init(_ path: String) throws {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
        func word(_ offset: Int) throws -> UInt64 {
            guard offset + 8 <= bytes.count else { throw Failure("the log of writes ends at byte \(bytes.count)") }
            return bytes.withUnsafeBytes {
                UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            }
        }
        guard try word(0) == WriteLog.magic else { throw Failure("\(path) is no log of writes") }
        let sector = Int(try word(24) & 0xffff_ffff)
        var entries: [Entry] = []
        var offset = sector
        for _ in 0..<(try word(WriteLog.countOffset)) {
            let (place, count, flags) = (try word(offset), try word(offset + 8), try word(offset + 16))
            let length = Int(count) * sector
            let hasData = flags & Flag.discard == 0 && length > 0
            entries.append(
                Entry(
                    offset: Int(place) * sector,
                    length: length,
                    data: hasData ? offset + sector : nil,
                    isFlush: flags & Flag.flush != 0,
                    isForced: flags & Flag.forced != 0
                )
            )
            offset += sector + (hasData ? length : 0)
            guard offset <= bytes.count else { throw Failure("the log of writes is cut off at byte \(bytes.count)") }
        }
        self.entries = entries
        self.bytes = bytes
    }

    /// Writes an entry to an image of the disk.
    func apply(_ entry: Entry, to image: inout [UInt8]) {
        guard entry.length > 0, entry.offset + entry.length <= image.count else { return }
        image.withUnsafeMutableBytes { image in
            let target = UnsafeMutableRawBufferPointer(rebasing: image[entry.offset..<(entry.offset + entry.length)])
            if let data = entry.data {
                bytes.withUnsafeBytes { target.copyMemory(from: .init(rebasing: $0[data..<(data + entry.length)])) }
            } else {
                target.initializeMemory(as: UInt8.self, repeating: 0)
            }
        }
    }
}
