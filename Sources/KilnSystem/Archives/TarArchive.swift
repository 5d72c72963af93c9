/// What a tar archive holds, read from its headers alone; an archive of a guest is hostile.
///
/// It is accepted whole or not at all: every name lies below the archive's own folder, stands there once, and has nothing but
/// folders of the archive above it; there are only files, folders and symbolic links. So an archive can be unpacked into an
/// empty folder without a look at what lies there.
///
/// Understood are the formats of ustar, GNU and pax: https://www.gnu.org/software/tar/manual/html_node/Standard.html
public struct TarArchive: Sendable {
    /// One file, folder or link.
    public struct Entry: Sendable, Hashable {
        /// What it is.
        public enum Kind: Sendable, Hashable {
            /// A regular file, whose content stands there in the archive.
            case file(Range<Int>)
            /// A folder.
            case folder
            /// A symbolic link, to anything at all.
            case link(to: [UInt8])
        }

        /// Its names from the archive's folder on; none for that itself.
        public let path: [[UInt8]]
        /// What it is.
        public let kind: Kind
        /// Its permissions: the lowest nine bits.
        public let mode: UInt32
        /// When it was changed last, in seconds since 1970.
        public let modified: Int
    }

    /// Why an archive is refused.
    public struct Refusal: Error, Hashable, CustomStringConvertible {
        /// In words that follow "the archive".
        public let description: String
    }

    /// Folders before what is in them.
    public let entries: [Entry]
    /// What the content of all files takes; a file with two names counts twice.
    public let size: Int

    /// The most entries that are accepted.
    public static let largestCount = 100_000

    /// Reads an archive.
    ///
    /// - Parameter limit: the most bytes that its files may have together.
    public init(_ bytes: [UInt8], limit: Int) throws(Refusal) {
        var reader = TarReader(bytes)
        var (entries, files, folders) = ([Entry](), [[[UInt8]]: Range<Int>](), Set<[[UInt8]]>())
        var (names, size) = (Set<[[UInt8]]>(), 0)
        while let header = try reader.next() {
            let path = try TarArchive.path(header.name)
            guard entries.count < TarArchive.largestCount else {
                throw Refusal(description: "has more than \(TarArchive.largestCount) entries")
            }
            guard names.insert(path).inserted else { throw header.refused("stands in it twice") }
            guard path.isEmpty || folders.contains(Array(path.dropLast())) || path.count == 1 else {
                throw header.refused("lies in no folder of it")
            }
            let kind = try TarArchive.kind(of: header, files)
            if case .file(let content) = kind {
                size += content.count
                files[path] = content
            }
            if kind == .folder { folders.insert(path) }
            guard size <= limit else { throw Refusal(description: "holds more than \(limit >> 20) MiB") }
            guard !path.isEmpty || kind == .folder else { throw header.refused("is no folder") }
            entries.append(Entry(path: path, kind: kind, mode: header.mode & 0o777, modified: header.modified))
        }
        self.entries = entries
        self.size = size
    }

    private static func kind(of header: TarHeader, _ files: [[[UInt8]]: Range<Int>]) throws(Refusal) -> Entry.Kind {
        switch header.type {
        case "0", "7", "\0": return .file(header.content)
        case "5": return .folder
        case "2":
            guard !header.target.isEmpty else { throw header.refused("is a link to nothing") }
            return .link(to: header.target)
        case "1":
            // A second name of a file that came before; the copy is a file of its own.
            guard let content = files[try path(header.target)] else {
                throw header.refused("is a second name of a file that is not in it")
            }
            return .file(content)
        case "3", "4": throw header.refused("is a device")
        case "6": throw header.refused("is a FIFO")
        default: throw header.refused("is of a kind that Kiln does not unpack")
        }
    }

    static func path(_ name: [UInt8]) throws(Refusal) -> [[UInt8]] {
        let isAbsolute = name.first == UInt8(ascii: "/")
        let parts = name.split(separator: UInt8(ascii: "/")).map(Array.init).filter { $0 != [UInt8(ascii: ".")] }
        guard !isAbsolute, !parts.contains(Array("..".utf8)) else {
            throw Refusal(description: "has the name \(Printable.text(name)), which leads out of its folder")
        }
        return parts
    }
}
