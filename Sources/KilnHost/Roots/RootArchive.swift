import CExt2fs
import Glibc
import KilnModel
import KilnSystem

/// Writes a root file system as a tar archive, in the order of names, so that the same root is the same archive.
///
/// It has what a file of Linux has: owners by number, all bits of modes, links of both kinds, device nodes, named pipes,
/// extended attributes, access lists as the kernel shows them, times to the nanosecond, holes as holes. What tar can't say
/// is left out: sockets, which are nothing without their process, the flags of `chattr`, and an empty `/lost+found`, which
/// every file system has of its own.
///
/// What is damaged is not passed over: an archive that looks whole and is not would become images.
struct RootArchive {
    /// Something that can't be what it should.
    struct Damage: Error {
        let path: RootPath
        let what: String
    }

    private let files: FileSystem
    /// How much content may still come: a file system holds no more than it has room for, unless blocks have two owners.
    private var budget: UInt64
    private var count = 0
    private var entered: Set<ext2_ino_t> = []
    /// The first name of what has several.
    private var firstNames: [ext2_ino_t: [[UInt8]]] = [:]

    private static let longestPath = 4096
    /// The largest file that ext4 can hold.
    private static let largestFile = UInt64(1) << 44

    init(_ files: FileSystem) {
        self.files = files
        budget = files.size
    }

    /// Writes all of it.
    ///
    /// Ends for every file system: a directory is entered once, and there are bounds for names and content.
    ///
    /// - Throws: ``Damage``.
    mutating func write(to output: inout RootWalk.Output) throws {
        var pending: [(path: [[UInt8]], inode: ext2_ino_t)] = [([], FileSystem.root)]
        while let (path, number) = pending.popLast(), output.isWhole {
            do {
                let names = try add(path, number, to: &output)
                pending += names.reversed().map { (path + [$0.name], $0.inode) }
            } catch let failure as FileSystem.Failure {
                throw damage(path, "libext2fs can't \(failure.doing) (\(failure.code))")
            }
        }
        output.write(TarEntry.end)
    }

    /// Writes one entry, and returns what is in it.
    private mutating func add(
        _ path: [[UInt8]],
        _ number: ext2_ino_t,
        to output: inout RootWalk.Output
    ) throws -> [(name: [UInt8], inode: ext2_ino_t)] {
        count += 1
        guard count <= TarStream.mostEntries else { throw damage(path, "there are too many paths") }
        guard path.reduce(0, { $0 + $1.count + 1 }) <= RootArchive.longestPath else {
            throw damage([], "there are longer paths than Linux knows")
        }
        let inode = try files.inode(number)
        guard inode.i_flags & UInt32(EXT4_ENCRYPT_FL) == 0 else { throw damage(path, "it is encrypted") }
        guard !path.isEmpty || UInt32(inode.i_mode) & S_IFMT == S_IFDIR else {
            throw damage(path, "it is no directory")
        }
        switch UInt32(inode.i_mode) & S_IFMT {
        case S_IFDIR: return try addFolder(path, number, inode, to: &output)
        case S_IFSOCK: break
        default: try addOther(path, number, inode, to: &output)
        }
        return []
    }

    private mutating func addFolder(
        _ path: [[UInt8]],
        _ number: ext2_ino_t,
        _ inode: ext2_inode,
        to output: inout RootWalk.Output
    ) throws -> [(name: [UInt8], inode: ext2_ino_t)] {
        guard entered.insert(number).inserted else { throw damage(path, "it is another directory as well") }
        // With a part missing its names would be missing, too.
        guard inode.size <= files.size, try files.content(of: number, inode, atMost: files.size) == [0..<inode.size]
        else {
            throw damage(path, "it is not all there")
        }
        let names = try files.names(in: number)
        guard names.count <= TarStream.mostEntries, !FileSystem.hasDoubles(names) else {
            throw damage(path, "it holds names that can't be, or one name twice")
        }
        if path == [Array("lost+found".utf8)], names.isEmpty { return [] }
        output.write(try entry(path, .folder, number, inode).header())
        return names
    }

    private mutating func addOther(
        _ path: [[UInt8]],
        _ number: ext2_ino_t,
        _ inode: ext2_inode,
        to output: inout RootWalk.Output
    ) throws {
        if let first = firstNames[number] {
            // Attributes stand with the first name.
            var link = try entry(path, .hardLink(to: first), number, inode)
            link.attributes = []
            return output.write(link.header())
        }
        if inode.i_links_count > 1 { firstNames[number] = path }
        let (major, minor) = inode.deviceNumbers
        switch UInt32(inode.i_mode) & S_IFMT {
        case S_IFREG: try addFile(path, number, inode, to: &output)
        case S_IFLNK:
            let target = try files.target(number, inode)
            guard !target.isEmpty, !target.contains(0) else { throw damage(path, "it leads nowhere") }
            output.write(try entry(path, .link(to: target), number, inode).header())
        case S_IFCHR: output.write(try entry(path, .character(major: major, minor: minor), number, inode).header())
        case S_IFBLK: output.write(try entry(path, .block(major: major, minor: minor), number, inode).header())
        case S_IFIFO: output.write(try entry(path, .pipe, number, inode).header())
        default: throw damage(path, "it is of no kind")
        }
    }

    private mutating func addFile(
        _ path: [[UInt8]],
        _ number: ext2_ino_t,
        _ inode: ext2_inode,
        to output: inout RootWalk.Output
    ) throws {
        guard inode.size <= RootArchive.largestFile else { throw damage(path, "it is larger than a file can be") }
        let content = TarContent(ranges: try files.content(of: number, inode, atMost: budget), size: inode.size)
        guard content.count <= budget else { throw damage(path, "it holds what belongs to other files as well") }
        budget -= content.count
        var entry = try entry(path, .file, number, inode)
        entry.size = inode.size
        output.write(entry.header(content))
        try files.read(number, content.ranges) { output.write($0) }
        output.write(TarEntry.padding(after: content.count))
    }

    private func entry(
        _ path: [[UInt8]],
        _ kind: TarEntry.Kind,
        _ number: ext2_ino_t,
        _ inode: ext2_inode
    ) throws -> TarEntry {
        var entry = TarEntry(
            path: path,
            kind: kind,
            mode: UInt32(inode.i_mode & 0o7777),
            user: inode.user,
            group: inode.group
        )
        entry.modified = try files.modified(number)
        entry.attributes = try files.attributes(number).compactMap { name, value in
            // Content that is small enough may be kept as an attribute.
            if name == Array("system.data".utf8) { return nil }
            guard AccessList.names.contains(name) else { return TarEntry.Attribute(name: name, value: value) }
            guard let list = AccessList(stored: value) else { throw damage(path, "its access list can't be read") }
            return TarEntry.Attribute(name: name, value: list.shown)
        }
        return entry
    }

    private func damage(_ path: [[UInt8]], _ what: String) -> Damage {
        Damage(path: path.reduce(.root) { $0.appending($1) }, what: what)
    }
}
