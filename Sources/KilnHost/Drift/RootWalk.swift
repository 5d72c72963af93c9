import CExt2fs
import CLinux
import Crypto
import Foundation
import Glibc
import KilnModel
import KilnSystem

/// Lists a root file system: what kiln runs itself once more for.
///
/// The file system may be made to attack whoever reads it. So this process gets it as an open file for reading and
/// nothing else, gives up every privilege, can open nothing and start nothing any more, and is limited by the kernel in
/// memory, time and output, before it looks at the first byte. What it writes is checked by the kiln that reads it.
public enum RootWalk {
    static let argument = "__root"

    /// What is written to standard output.
    enum Request: CustomStringConvertible {
        /// The listing of what lies below some paths, and of what leads there; none means everything.
        case list(below: [RootPath])
        /// The content of a file that has no more bytes than that.
        case read(RootPath, limit: Int)

        var arguments: [String] {
            switch self {
            case .list(let paths): ["list"] + paths.map(\.text)
            case .read(let path, let limit): ["read", path.text, String(limit)]
            }
        }

        init?(_ arguments: ArraySlice<String>) {
            let (words, paths) = (Array(arguments), arguments.dropFirst().map { RootPath($0) })
            switch words.first {
            case nil: self = .list(below: [])
            case "list" where !paths.contains(nil): self = .list(below: paths.compactMap { $0 })
            case "read" where words.count == 3:
                guard let path = paths[0], let limit = Int(words[2]) else { return nil }
                self = .read(path, limit: limit)
            default: return nil
            }
        }

        var description: String {
            switch self {
            case .list(let paths): paths.map(\.description).joined(separator: ", ")
            case .read(let path, _): path.description
            }
        }
    }

    /// The arguments of kiln that make it this process; its standard input is the file system.
    static func arguments(executable: String, user: String?, _ request: Request) -> [String] {
        [executable, argument, user ?? ""] + request.arguments
    }

    /// Becomes the process that lists, and never returns, if `arguments` say so.
    ///
    /// To be called first of all in kiln's main.
    public static func runIfRequested(arguments: [String]) {
        guard arguments.count > 1, arguments[1] == argument else { return }
        do {
            guard let request = Request(arguments.dropFirst(3)) else { throw ConfinementFailure(what: "what to do") }
            try confine(to: arguments.dropFirst(2).first.flatMap { $0.isEmpty ? nil : $0 })
            var output = Output()
            try perform(request, on: try FileSystem(descriptor: 0), to: &output)
            exit(output.flush() ? 0 : 1)
        } catch let failure as FileSystem.Failure {
            say("libext2fs can't \(failure.doing): \(failure.code)")
            exit(failure.doing == FileSystem.opening ? noFileSystem : 1)
        } catch {
            say("\(error)")
            exit(1)
        }
    }

    private static func say(_ text: String) {
        let bytes = Array("\(text)\n".utf8)
        _ = Glibc.write(2, bytes, bytes.count)
    }

    /// Leaves who takes this process over as little to win as the kernel allows, whoever runs it.
    private static func confine(to user: String?) throws {
        try limit([(RLIMIT_CORE, 0), (RLIMIT_CPU, 600), (RLIMIT_AS, 4 << 30), (RLIMIT_FSIZE, rlim_t(longestOutput))])
        if let user {
            let owner = try MachineOwner.named(user)
            guard setgroups(0, nil) == 0, setgid(owner.gid) == 0, setuid(owner.uid) == 0, owner.uid != 0,
                setuid(0) != 0
            else { throw ConfinementFailure(what: "user \(user)") }
        }
        // After the change of user, which would undo it.
        guard kiln_end_with_parent() == 0, chdir("/") == 0 else { throw ConfinementFailure(what: "privileges") }
        try giveUpRights()
        // What is open stays open: no file, socket or process comes to it, also where the kernel lacks Landlock.
        try limit([(RLIMIT_NOFILE, 0), (__RLIMIT_NPROC, 0)])
    }

    private static func limit(_ limits: [(__rlimit_resource, rlim_t)]) throws {
        for (resource, most) in limits {
            var limit = rlimit(rlim_cur: most, rlim_max: most)
            guard setrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0 else {
                throw ConfinementFailure(what: "limits")
            }
        }
    }

    /// What of Landlock the kernel has: at least 1, or -1 where it is not built in or turned off.
    static var landlockVersion: Int32 {
        let asksForVersion: UInt32 = 1
        return kiln_landlock_create_ruleset(nil, 0, asksForVersion)
    }

    /// Takes from this thread, and those that it starts, every way to new privileges, and as far as the kernel has Landlock
    /// what is in files and directories, the making and removing of them, TCP, and signals to other processes.
    ///
    /// Landlock leaves modes, owners and times of files, which only their owner can change.
    ///
    /// https://docs.kernel.org/userspace-api/landlock.html
    static func giveUpRights() throws {
        guard kiln_give_up_new_privileges() == 0 else { throw ConfinementFailure(what: "new privileges") }
        let version = landlockVersion
        guard version > 0 else { return }
        // What a ruleset names and no rule allows is denied; a kernel refuses names that it does not know.
        let files = version >= 5 ? 16 : version >= 3 ? 15 : version == 2 ? 14 : 13
        let attributes: [UInt64] = [(1 << files) - 1, version >= 4 ? 0b11 : 0, version >= 6 ? 0b11 : 0]
        let ruleset = attributes.withUnsafeBytes { kiln_landlock_create_ruleset($0.baseAddress, $0.count, 0) }
        guard ruleset >= 0 else { throw ConfinementFailure(what: "Landlock's rules") }
        defer { close(ruleset) }
        guard kiln_landlock_restrict_self(ruleset) == 0 else { throw ConfinementFailure(what: "Landlock") }
    }

    private struct ConfinementFailure: Error { let what: String }

    /// The most bytes of a listing.
    static let longestOutput = 1 << 29
    /// The exit status that says that there is no file system to be read.
    static let noFileSystem: Int32 = 3

    /// The exit status that says that there is no regular file at the path.
    static let noFile: Int32 = 4
    /// The exit status that says that the file is larger than wanted.
    static let tooLarge: Int32 = 5

    private static func perform(_ request: Request, on files: FileSystem, to output: inout Output) throws {
        guard !files.needsReplay else { throw ConfinementFailure(what: "the journal was not replayed") }
        switch request {
        case .list(let paths): try list(files, below: paths, to: &output)
        case .read(let path, let limit): try copy(path, limit, files, to: &output)
        }
    }

    private static func copy(_ path: RootPath, _ limit: Int, _ files: FileSystem, to output: inout Output) throws {
        var number = FileSystem.root
        for name in path.names {
            let entries = (try? files.names(in: number)) ?? []
            guard let entry = entries.first(where: { $0.name == name }) else { exit(noFile) }
            number = entry.inode
        }
        let inode = try files.inode(number)
        guard UInt32(inode.i_mode) & S_IFMT == S_IFREG else { exit(noFile) }
        guard inode.size <= UInt64(limit) else { exit(tooLarge) }
        try files.read(number) { output.write($0) }
    }

    /// Writes the listing of a file system.
    ///
    /// Ends for every file system: a directory is entered once, however often it is linked, and no more is read than four
    /// times what the file system can hold.
    static func list(_ files: FileSystem, below paths: [RootPath], to output: inout Output) throws {
        func isWanted(_ path: RootPath) -> Bool {
            paths.isEmpty || paths.contains { path.isWithin($0) || $0.isWithin(path) }
        }
        output.write(RootListing.header)
        var walk = Walk(files: files, budget: files.size * 4)
        var pending: [(path: RootPath, inode: ext2_ino_t)] = [(.root, FileSystem.root)]
        var entered: Set<ext2_ino_t> = []
        while let (path, number) = pending.popLast() {
            guard walk.count < RootListing.mostEntries else { throw ConfinementFailure(what: "too many entries") }
            var entry = walk.entry(number, path)
            if entry.kind == .directory {
                if entered.insert(number).inserted, path.text.utf8.count + 3 * 256 <= RootPath.longest,
                    let names = try? files.names(in: number), !hasDoubles(names)
                {
                    pending += names.reversed().map { (path.appending($0.name), $0.inode) }.filter { isWanted($0.0) }
                } else {
                    entry = .damaged
                }
            }
            output.write(entry.line(path))
            walk.count += 1
        }
        let packages = DpkgStatus.packages(walk.dpkgStatus)
        for (name, version) in packages { output.write(RootListing.line(package: name, version: version)) }
        output.write(RootListing.footer(walk.count + packages.count))
    }

    // Sorted, so doubles are neighbours. A name that can't be one is a sign of damage as well.
    private static func hasDoubles(_ names: [(name: [UInt8], inode: ext2_ino_t)]) -> Bool {
        zip(names, names.dropFirst()).contains { $0.name == $1.name }
            || names.contains { $0.name.isEmpty || $0.name.contains(0x2f) || $0.name.contains(0) }
    }

    /// Lines on standard output.
    struct Output {
        private var buffer: [UInt8] = []
        private var isWhole = true

        mutating func write(_ line: String) {
            buffer += line.utf8
            buffer.append(0x0a)
            if buffer.count > 1 << 16 { _ = flush() }
        }

        mutating func write(_ bytes: UnsafeRawBufferPointer) {
            buffer += bytes
            _ = flush()
        }

        /// Writes what is left; whether everything was written.
        mutating func flush() -> Bool {
            var rest = buffer[...]
            while !rest.isEmpty && isWhole {
                let count = rest.withUnsafeBytes { Glibc.write(1, $0.baseAddress, $0.count) }
                if count < 0 && errno == EINTR { continue }
                isWhole = count > 0
                rest = rest.dropFirst(max(0, count))
            }
            buffer.removeAll(keepingCapacity: true)
            return isWhole
        }
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
