/// What a tar archive of a whole tree says of one path, with all that a file of Linux has.
///
/// Names are bytes, and owners are numbers: an archive is not read where its users live.
public struct TarEntry: Sendable, Hashable {
    /// What it is.
    public enum Kind: Sendable, Hashable {
        /// A regular file, whose content follows.
        case file
        /// A folder.
        case folder
        /// A symbolic link, to anything at all.
        case link(to: [UInt8])
        /// One more name of what came before, by the names from the archive's folder on.
        case hardLink(to: [[UInt8]])
        /// A character device.
        case character(major: UInt32, minor: UInt32)
        /// A block device.
        case block(major: UInt32, minor: UInt32)
        /// A named pipe.
        case pipe
    }

    /// An extended attribute, as the kernel shows it.
    public struct Attribute: Sendable, Hashable {
        /// Its name, such as `security.capability`.
        public let name: [UInt8]
        /// Its value.
        public let value: [UInt8]

        /// An attribute from its parts.
        public init(name: [UInt8], value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }

    /// A point in time.
    public struct Time: Sendable, Hashable {
        /// Whole seconds since 1970, rounded down; negative before.
        public let seconds: Int64
        /// What is left, below a thousand million.
        public let nanoseconds: UInt32

        /// A time from its parts.
        public init(seconds: Int64, nanoseconds: UInt32 = 0) {
            self.seconds = seconds
            self.nanoseconds = nanoseconds
        }
    }

    /// Its names from the archive's folder on; none for that itself.
    public var path: [[UInt8]]
    /// What it is.
    public var kind: Kind
    /// Its permissions, 12 bits.
    public var mode: UInt32
    /// The user who owns it.
    public var user: UInt32
    /// The group that owns it.
    public var group: UInt32
    /// The bytes of a regular file, holes among them; 0 otherwise.
    public var size: UInt64 = 0
    /// When it was changed last.
    public var modified = Time(seconds: 0)
    /// Its extended attributes.
    public var attributes: [Attribute] = []

    /// An entry; the other properties say nothing.
    public init(path: [[UInt8]], kind: Kind, mode: UInt32, user: UInt32, group: UInt32) {
        self.path = path
        self.kind = kind
        self.mode = mode
        self.user = user
        self.group = group
    }
}

/// Where a file has content; between that are holes, which take no room in an archive.
public struct TarContent: Sendable, Hashable {
    /// The bytes that are there, in order and apart.
    public let ranges: [Range<UInt64>]
    /// The bytes of the file.
    public let size: UInt64

    /// The content of a file.
    public init(ranges: [Range<UInt64>], size: UInt64) {
        self.ranges = ranges
        self.size = size
    }

    /// Whether nothing of it is a hole.
    public var isWhole: Bool { size == 0 || ranges == [0..<size] }

    /// The bytes that are there.
    public var count: UInt64 { ranges.reduce(0) { $0 + UInt64($1.count) } }

    /// What comes first in the content of a file with holes, in GNU's format 1.0: how many pieces there are, and of each
    /// where it begins and how long it is; a number a line.
    ///
    /// https://www.gnu.org/software/tar/manual/html_node/PAX-1.html
    var map: [UInt8] {
        // A hole at the end is an empty piece.
        let end = ranges.last?.upperBound == size ? [] : [size..<size]
        let numbers = (ranges + end).flatMap { [$0.lowerBound, UInt64($0.count)] }
        let lines = ([UInt64(ranges.count + end.count)] + numbers).map { "\($0)\n" }.joined()
        return Array(lines.utf8) + TarEntry.padding(after: UInt64(lines.utf8.count))
    }
}
