import CExt2fs
import Glibc
import KilnSystem

extension FileSystem {
    /// Where a file or a directory has content, as far as the file system keeps any; the rest are holes.
    ///
    /// - Parameter most: how many bytes are looked for; a file that has more is given with some more, and not with all.
    /// - Throws: ``Failure``, also where blocks are not in order: then there may be no end to them.
    func content(of number: ext2_ino_t, _ inode: ext2_inode, atMost most: UInt64) throws -> [Range<UInt64>] {
        let size = inode.size
        guard size > 0 else { return [] }
        // Content that is small enough may lie in the inode itself.
        guard inode.i_flags & UInt32(EXT4_INLINE_DATA_FL) == 0 else { return [0..<size] }
        let found = Blocks(size: UInt64(handle.pointee.blocksize), most: most)
        if inode.i_flags & UInt32(EXT4_EXTENTS_FL) != 0 {
            try addExtents(of: number, to: found)
        } else {
            try addBlocks(of: number, to: found)
        }
        guard found.isOrdered else { throw Failure(doing: "read a file's places", code: 0) }
        // Blocks may be set aside behind the end.
        return found.ranges.compactMap { $0.lowerBound < size ? $0.lowerBound..<min($0.upperBound, size) : nil }
    }

    // One by one: ext2fs_block_iterate3 passes over a damaged tree of extents as if the file had nothing in it.
    private func addExtents(of number: ext2_ino_t, to found: Blocks) throws {
        var tree: ext2_extent_handle_t?
        // An inode that is given would have to stay where it is.
        try FileSystem.check("read a file's places", ext2fs_extent_open2(handle, number, nil, &tree))
        defer { ext2fs_extent_free(tree) }
        var step = EXT2_EXTENT_ROOT
        while true {
            var extent = ext2fs_extent()
            let result = ext2fs_extent_get(tree, step, &extent)
            if result == EXT2_ET_EXTENT_NO_NEXT { return }
            try FileSystem.check("read a file's places", result)
            step = EXT2_EXTENT_NEXT
            let flags = Int32(extent.e_flags)
            // What was set aside and never written is read as zeros.
            guard flags & EXT2_EXTENT_FLAGS_LEAF != 0, flags & EXT2_EXTENT_FLAGS_SECOND_VISIT == 0,
                flags & EXT2_EXTENT_FLAGS_UNINIT == 0
            else { continue }
            guard found.add(Int64(bitPattern: extent.e_lblk), count: UInt64(extent.e_len)) else { return }
        }
    }

    private func addBlocks(of number: ext2_ino_t, to found: Blocks) throws {
        let result = ext2fs_block_iterate3(
            handle,
            number,
            BLOCK_FLAG_DATA_ONLY | BLOCK_FLAG_READ_ONLY,
            nil,
            { _, _, place, _, _, context in
                guard let context else { return Int32(BLOCK_ABORT) }
                let goesOn = Unmanaged<Blocks>.fromOpaque(context).takeUnretainedValue().add(place, count: 1)
                return goesOn ? 0 : Int32(BLOCK_ABORT)
            },
            Unmanaged.passUnretained(found).toOpaque()
        )
        try FileSystem.check("read a file's places", result)
    }

    private final class Blocks {
        private(set) var ranges: [Range<UInt64>] = []
        private(set) var isOrdered = true
        private let size: UInt64
        private let most: UInt64
        private var taken: UInt64 = 0

        init(size: UInt64, most: UInt64) {
            self.size = size
            self.most = most
        }

        /// Takes some blocks, by the number of the first within the file; whether more are wanted.
        func add(_ number: Int64, count: UInt64) -> Bool {
            let end = ranges.last?.upperBound ?? 0
            guard number >= 0, number < 1 << 32, count > 0, count < 1 << 32, UInt64(number) * size >= end else {
                isOrdered = false
                return false
            }
            let places = UInt64(number) * size..<(UInt64(number) + count) * size
            if places.lowerBound == end, let last = ranges.popLast() {
                ranges.append(last.lowerBound..<places.upperBound)
            } else {
                ranges.append(places)
            }
            taken += count * size
            // The last block of a file may be cut.
            return taken <= most || taken - most <= size
        }
    }

    /// Reads pieces of a file, all of each.
    func read(_ number: ext2_ino_t, _ ranges: [Range<UInt64>], _ take: (UnsafeRawBufferPointer) -> Void) throws {
        guard !ranges.isEmpty else { return }
        var file: ext2_file_t?
        try FileSystem.check("open a file", ext2fs_file_open(handle, number, 0, &file))
        defer { ext2fs_file_close(file) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
        defer { buffer.deallocate() }
        for range in ranges {
            try FileSystem.check("read a file", ext2fs_file_llseek(file, range.lowerBound, EXT2_SEEK_SET, nil))
            var rest = range.count
            while rest > 0 {
                var count: UInt32 = 0
                let wanted = UInt32(min(rest, buffer.count))
                try FileSystem.check("read a file", ext2fs_file_read(file, buffer.baseAddress, wanted, &count))
                guard count > 0 else { throw Failure(doing: "read a file to its end", code: 0) }
                take(UnsafeRawBufferPointer(rebasing: buffer[..<Int(count)]))
                rest -= Int(count)
            }
        }
    }
}
