import CExt2fs
import Glibc

/// An ext2, ext3 or ext4 file system in a file, read by libext2fs and never mounted.
///
/// Used only in the process that ``RootWalk`` confines: the file system is hostile.
///
/// https://git.kernel.org/pub/scm/fs/ext2/e2fsprogs.git/tree/lib/ext2fs/ext2fs.h
final class FileSystem {
    /// What libext2fs says.
    struct Failure: Error {
        let doing: String
        let code: Int
    }

    /// What was being done where there is no file system.
    static let opening = "open the file system"

    let handle: ext2_filsys

    /// Opens the file that is open as `descriptor`, for reading or for both.
    init(descriptor: Int32, isWritten: Bool = false) throws {
        var opened: ext2_filsys?
        let flags = EXT2_FLAG_64BITS | EXT2_FLAG_SOFTSUPP_FEATURES | (isWritten ? EXT2_FLAG_RW : 0)
        try FileSystem.check(
            FileSystem.opening,
            ext2fs_open2(String(descriptor), nil, flags, 0, 0, kiln_descriptor_io_manager(), &opened)
        )
        guard let opened else { throw Failure(doing: FileSystem.opening, code: 0) }
        handle = opened
    }

    deinit { ext2fs_close(handle) }

    /// The size of the file system in bytes, as far as that can be counted.
    var size: UInt64 {
        let blocks = ext2fs_blocks_count(handle.pointee.super)
        let (size, isTooLarge) = blocks.multipliedReportingOverflow(by: UInt64(handle.pointee.blocksize))
        return isTooLarge ? .max : size
    }

    /// Whether the journal holds what the file system lacks.
    var needsReplay: Bool {
        handle.pointee.super.pointee.s_feature_incompat & UInt32(EXT3_FEATURE_INCOMPAT_RECOVER) != 0
    }

    /// The number of the root directory.
    static let root = ext2_ino_t(EXT2_ROOT_INO)

    /// What the file system knows of a file.
    func inode(_ number: ext2_ino_t) throws -> ext2_inode {
        var inode = ext2_inode()
        try FileSystem.check("read an inode", ext2fs_read_inode(handle, number, &inode))
        return inode
    }

    /// The names in a directory, but for `.` and `..`, in the order of their bytes.
    func names(in directory: ext2_ino_t) throws -> [(name: [UInt8], inode: ext2_ino_t)] {
        final class Found { var entries: [(name: [UInt8], inode: ext2_ino_t)] = [] }
        let found = Found()
        let result = ext2fs_dir_iterate2(
            handle,
            directory,
            0,
            nil,
            { _, _, entry, _, _, _, context in
                guard let entry, let context else { return Int32(DIRENT_ABORT) }
                let length = Int(entry.pointee.name_len & 0xff)
                let start = UnsafeRawPointer(entry) + 8
                let name = Array(UnsafeRawBufferPointer(start: start, count: length))
                if name != [0x2e] && name != [0x2e, 0x2e] {
                    Unmanaged<Found>.fromOpaque(context).takeUnretainedValue().entries.append(
                        (name, entry.pointee.inode)
                    )
                }
                return 0
            },
            Unmanaged.passUnretained(found).toOpaque()
        )
        try FileSystem.check("read a directory", result)
        return found.entries.sorted { $0.name.lexicographicallyPrecedes($1.name) }
    }

    // Sorted, so doubles are neighbours. A name that can't be one is a sign of damage as well.
    static func hasDoubles(_ names: [(name: [UInt8], inode: ext2_ino_t)]) -> Bool {
        zip(names, names.dropFirst()).contains { $0.name == $1.name }
            || names.contains { $0.name.isEmpty || $0.name.contains(0x2f) || $0.name.contains(0) }
    }

    /// Reads a file's content, holes as zeros, a piece at a time.
    func read(_ number: ext2_ino_t, _ take: (UnsafeRawBufferPointer) -> Void) throws {
        var file: ext2_file_t?
        try FileSystem.check("open a file", ext2fs_file_open(handle, number, 0, &file))
        defer { ext2fs_file_close(file) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            var count: UInt32 = 0
            try FileSystem.check(
                "read a file",
                ext2fs_file_read(file, buffer.baseAddress, UInt32(buffer.count), &count)
            )
            guard count > 0 else { return }
            take(UnsafeRawBufferPointer(rebasing: buffer[..<Int(count)]))
        }
    }

    /// The target of a symbolic link.
    func target(_ number: ext2_ino_t, _ inode: ext2_inode) throws -> [UInt8] {
        var inode = inode
        guard inode.size <= 4096 else { throw Failure(doing: "read a link of that size", code: 0) }
        let size = Int(inode.size)
        if ext2fs_is_fast_symlink(&inode) != 0 {
            return withUnsafeBytes(of: inode.i_block) { Array($0.prefix(size)) }
        }
        var target: [UInt8] = []
        try read(number) { target += $0 }
        return target
    }

    /// The extended attributes by name, as they are stored.
    func attributes(_ number: ext2_ino_t) throws -> [(name: [UInt8], value: [UInt8])] {
        final class Found { var list: [(name: [UInt8], value: [UInt8])] = [] }
        var attributes: OpaquePointer?
        try FileSystem.check("read attributes", ext2fs_xattrs_open(handle, number, &attributes))
        defer { ext2fs_xattrs_close(&attributes) }
        var flags = UInt32(XATTR_HANDLE_FLAG_RAW)
        try FileSystem.check("read attributes", ext2fs_xattrs_flags(attributes, &flags, nil))
        try FileSystem.check("read attributes", ext2fs_xattrs_read(attributes))
        let found = Found()
        let result = ext2fs_xattrs_iterate(
            attributes,
            { name, value, length, context in
                guard let name, let context else { return Int32(XATTR_ABORT) }
                let bytes = UnsafeRawBufferPointer(start: value, count: value == nil ? 0 : length)
                let text = Array(UnsafeRawBufferPointer(start: name, count: strlen(name)))
                Unmanaged<Found>.fromOpaque(context).takeUnretainedValue().list.append((text, Array(bytes)))
                return 0
            },
            Unmanaged.passUnretained(found).toOpaque()
        )
        try FileSystem.check("read attributes", result)
        return found.list.sorted { $0.name.lexicographicallyPrecedes($1.name) }
    }

    static func check(_ doing: String, _ code: errcode_t) throws {
        guard code == 0 else { throw Failure(doing: doing, code: Int(code)) }
    }
}

extension ext2_inode {
    /// The bytes of the content.
    var size: UInt64 { UInt64(i_size_high) << 32 | UInt64(i_size) }
    /// The user who owns it.
    var user: UInt32 { UInt32(osd2.linux2.l_i_uid_high) << 16 | UInt32(i_uid) }
    /// The group that owns it.
    var group: UInt32 { UInt32(osd2.linux2.l_i_gid_high) << 16 | UInt32(i_gid) }

    /// `MAJOR:MINOR` of a device node.
    var device: String { "\(deviceNumbers.major):\(deviceNumbers.minor)" }

    /// The numbers of a device node, from the old encoding or the new one.
    var deviceNumbers: (major: UInt32, minor: UInt32) {
        let (old, new) = (i_block.0, i_block.1)
        guard old == 0 else { return (old >> 8 & 0xff, old & 0xff) }
        return (new >> 8 & 0xfff, new & 0xff | new >> 12 & 0xfff00)
    }
}
