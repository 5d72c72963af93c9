import CExt2fs
import Crypto
import Glibc
import KilnModel
import KilnSystem

extension RootWalk {
    /// Writes the listing of a file system.
    ///
    /// Ends for every file system: a directory is entered once, however often it is linked, and no more is read than four
    /// times what the file system can hold.
    static func list(_ files: FileSystem, below paths: [RootPath], to output: inout Output) throws {
        func isWanted(_ path: RootPath) -> Bool {
            paths.isEmpty || paths.contains { path.isWithin($0) || $0.isWithin(path) }
        }
        output.write(RootListing.header)
        var walk = Walk(files: files, budget: min(files.size, .max / 4) * 4)
        var pending: [(path: RootPath, inode: ext2_ino_t)] = [(.root, FileSystem.root)]
        var entered: Set<ext2_ino_t> = []
        while let (path, number) = pending.popLast() {
            guard walk.count < RootListing.mostEntries else { throw ConfinementFailure(what: "too many entries") }
            var entry = walk.entry(number, path)
            if entry.kind == .directory {
                if entered.insert(number).inserted, path.text.utf8.count + 3 * 256 <= RootPath.longest,
                    let names = try? files.names(in: number), !FileSystem.hasDoubles(names)
                {
                    pending += names.reversed().map { (path.appending($0.name), $0.inode) }.filter { isWanted($0.0) }
                } else {
                    entry = .damaged
                }
            }
            output.write(entry.line(path))
            walk.count += 1
        }
        let packages = DpkgStatus(walk.dpkgStatus).versions.sorted { $0.key < $1.key }
        for (name, version) in packages {
            output.write(RootListing.line(package: Array(name.utf8), version: Array(version.utf8)))
        }
        output.write(RootListing.footer(walk.count + packages.count))
    }
}

/// The state of a walk.
private struct Walk {
    let files: FileSystem
    /// How many more bytes may be read.
    var budget: UInt64
    /// How many entries were written.
    var count = 0
    /// The content of dpkg's list.
    var dpkgStatus: [UInt8] = []
    /// What was read of files with several names.
    private var known: [ext2_ino_t: String] = [:]

    init(files: FileSystem, budget: UInt64) {
        self.files = files
        self.budget = budget
    }

    mutating func entry(_ number: ext2_ino_t, _ path: RootPath) -> RootEntry {
        do {
            let inode = try files.inode(number)
            guard let kind = Walk.kind(inode.i_mode) else { return .damaged }
            return RootEntry(
                kind: kind,
                mode: inode.i_mode & 0o7777,
                user: inode.user,
                group: inode.group,
                size: kind == .file ? inode.size : 0,
                value: try value(kind, number, inode, path),
                attributes: try attributes(number, inode)
            )
        } catch {
            return .damaged
        }
    }

    private mutating func value(
        _ kind: RootEntry.Kind,
        _ number: ext2_ino_t,
        _ inode: ext2_inode,
        _ path: RootPath
    ) throws -> String? {
        switch kind {
        case .file: try content(number, inode, path)
        case .link: RootPath.escapedTarget(try files.target(number, inode))
        case .character, .block: inode.device
        case .directory, .pipe, .socket, .damaged: nil
        }
    }

    private mutating func content(_ number: ext2_ino_t, _ inode: ext2_inode, _ path: RootPath) throws -> String? {
        if let digest = known[number] { return digest }
        // Sparse files and files that share their blocks can seem larger than any disk.
        guard inode.size <= budget else { return nil }
        budget -= inode.size
        var hash = SHA256()
        let isDpkgStatus = path.text == "/var/lib/dpkg/status" && inode.size <= 64 << 20
        var kept: [UInt8] = []
        try files.read(number) { piece in
            hash.update(bufferPointer: piece)
            if isDpkgStatus { kept += piece }
        }
        if isDpkgStatus { dpkgStatus = kept }
        let digest = hash.finalize().hexadecimal
        if inode.i_links_count > 1 { known[number] = digest }
        return digest
    }

    // The flags that keep even root from changing a file are as good a place to hide in as any attribute.
    private func attributes(_ number: ext2_ino_t, _ inode: ext2_inode) throws -> String? {
        let flags = inode.i_flags & UInt32(EXT2_IMMUTABLE_FL | EXT2_APPEND_FL)
        // Content that is small enough may be kept as an attribute.
        let list = try files.attributes(number).filter { $0.name != Array("system.data".utf8) }
        guard flags != 0 || !list.isEmpty else { return nil }
        var hash = SHA256()
        hash.update(data: Array("\(flags)".utf8))
        for (name, value) in list {
            for field in [name, value] {
                hash.update(data: Array(" \(field.count) ".utf8))
                hash.update(data: field)
            }
        }
        return hash.finalize().hexadecimal
    }

    private static func kind(_ mode: UInt16) -> RootEntry.Kind? {
        switch UInt32(mode) & S_IFMT {
        case S_IFREG: .file
        case S_IFDIR: .directory
        case S_IFLNK: .link
        case S_IFCHR: .character
        case S_IFBLK: .block
        case S_IFIFO: .pipe
        case S_IFSOCK: .socket
        default: nil
        }
    }
}

extension RootEntry {
    fileprivate static let damaged = RootEntry(kind: .damaged, mode: 0, user: 0, group: 0)
}

extension RootPath {
    /// A link's target, which is any bytes but none.
    fileprivate static func escapedTarget(_ target: [UInt8]) -> String {
        // An empty one can only be damage; it must not look like a missing field.
        target.isEmpty ? "%00" : target == [0x2d] ? "%2D" : escaped(target)
    }
}
