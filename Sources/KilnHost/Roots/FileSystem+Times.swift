import CExt2fs
import Glibc
import KilnSystem

/// Seconds since 1970 are kept as 32 bits with a sign and two more, which lie beside the nanoseconds.
///
/// https://docs.kernel.org/filesystems/ext4/inodes.html#inode-timestamps
extension FileSystem {
    /// When a file was changed last.
    func modified(_ number: ext2_ino_t) throws -> TarEntry.Time { try largeInode(number).modified }

    /// Makes the file system say that everything was made and read at `epoch`, and that nothing was changed later.
    ///
    /// That is for one that was just made and that nobody mounted: the times that mke2fs gives its inodes are those of
    /// the files that it copies, of which only the time of the last change is the files' own.
    func clampTimes(to epoch: Int64) throws {
        // The superblock says when it was written last.
        handle.pointee.now = time_t(epoch)
        let first = max(FileSystem.firstOwn, handle.pointee.super.pointee.s_first_ino)
        for number in [FileSystem.root] + Array(first...max(first, handle.pointee.super.pointee.s_inodes_count)) {
            var inode = try largeInode(number)
            guard inode.i_mode != 0 || inode.i_links_count != 0 else { continue }
            inode.clampTimes(to: epoch)
            try write(inode, number)
        }
        try FileSystem.check("write the superblock", ext2fs_flush(handle))
    }

    /// Inodes below are the file system's, but for the root's.
    private static let firstOwn: UInt32 = 11

    private func largeInode(_ number: ext2_ino_t) throws -> ext2_inode_large {
        var inode = ext2_inode_large()
        let result = withUnsafeMutableBytes(of: &inode) { bytes in
            let start = bytes.baseAddress?.assumingMemoryBound(to: ext2_inode.self)
            return ext2fs_read_inode_full(handle, number, start, Int32(bytes.count))
        }
        try FileSystem.check("read an inode", result)
        return inode
    }

    private func write(_ inode: ext2_inode_large, _ number: ext2_ino_t) throws {
        var inode = inode
        let result = withUnsafeMutableBytes(of: &inode) { bytes in
            let start = bytes.baseAddress?.assumingMemoryBound(to: ext2_inode.self)
            return ext2fs_write_inode_full(handle, number, start, Int32(bytes.count))
        }
        try FileSystem.check("write an inode", result)
    }
}

extension ext2_inode_large {
    /// Whether it has what is finer than seconds; the last of these fields ends 24 bytes behind an inode of ext2.
    private var isFine: Bool { i_extra_isize >= 24 }

    fileprivate var modified: TarEntry.Time {
        let seconds = Int64(Int32(bitPattern: i_mtime))
        guard isFine else { return TarEntry.Time(seconds: seconds) }
        let nanoseconds = i_mtime_extra >> 2
        return TarEntry.Time(
            seconds: seconds + Int64(i_mtime_extra & 3) << 32,
            nanoseconds: nanoseconds < 1_000_000_000 ? nanoseconds : 0
        )
    }

    fileprivate mutating func clampTimes(to epoch: Int64) {
        let low = UInt32(truncatingIfNeeded: epoch)
        let high = UInt32(truncatingIfNeeded: (epoch - Int64(Int32(bitPattern: low))) >> 32) & 3
        let time = modified
        let isNewer = time.seconds > epoch || time.seconds == epoch && time.nanoseconds > 0
        (i_atime, i_ctime) = (low, low)
        if isNewer { i_mtime = low }
        guard isFine else { return }
        (i_atime_extra, i_ctime_extra) = (high, high)
        (i_crtime, i_crtime_extra) = (low, high)
        if isNewer { i_mtime_extra = high }
    }
}
