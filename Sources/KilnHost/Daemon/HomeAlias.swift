import Foundation
import Glibc
import KilnModel
import KilnSystem

/// Short names for paths below KILN_HOME, for Unix sockets: see ``UnixSocket/longestPath``.
///
/// Where a path is too long, it is addressed through a symbolic link in a private directory of the user,
/// `/tmp/kiln-UID/HASH`. The place is the same for every process of the user, at every time: a running machine
/// remembers the path of its monitor socket, and the next kiln has to be able to bring exactly this path back.
/// (`/run/user/UID` would vanish at logout, under machines that live on.)
public struct HomeAlias: Sendable, Hashable {
    /// KILN_HOME: absolute, without `.` and `..`.
    public let home: String
    /// The symbolic link that stands for ``home``; it exists only once ``shortPath(for:limit:)`` needed it.
    public let link: String

    private let directory: String

    /// The alias of `home`.
    ///
    /// - Parameters:
    ///   - home: KILN_HOME; made absolute and free of `.` and `..`.
    ///   - directory: where the link goes; nil stands for the user's private directory.
    public init(home: String, directory: String? = nil) {
        let directory = directory ?? "/tmp/kiln-\(geteuid())"
        self.home = URL(fileURLWithPath: home).standardizedFileURL.path
        self.directory = directory
        self.link = directory + "/" + HomeAlias.hash(self.home)
    }

    /// A path of at most `limit` bytes that leads to `path`; makes the link if it takes one.
    ///
    /// Calling it again is how a link comes back that something swept out of `/tmp`.
    ///
    /// - Parameters:
    ///   - path: a path below ``home``; it need not exist.
    ///   - limit: how long the result may be, in bytes.
    ///   - plain: whether the result may hold only letters, digits and `/._-`, for configuration files that can't quote.
    /// - Throws: `KilnError` with code `alias.too-long` where even the alias is too long or `path` isn't below the home,
    ///   `alias.unsafe` where the private directory or the link isn't ours, `alias.failed` where the system refuses.
    public func shortPath(
        for path: String,
        limit: Int = UnixSocket.longestPath,
        plain: Bool = false
    ) throws -> String {
        if path.utf8.count <= limit && (!plain || HomeAlias.isPlain(path)) { return path }
        let short = link + path.dropFirst(home.count)
        guard path.hasPrefix(home + "/"), short.utf8.count <= limit, !plain || HomeAlias.isPlain(short) else {
            throw KilnError(
                .aliasTooLong,
                "the path \(path) has \(path.utf8.count) bytes, and at most \(limit) are possible here",
                hint: "set KILN_HOME to a shorter path"
            )
        }
        try prepareDirectory()
        try prepareLink()
        return short
    }

    /// Removes the link, and the private directory if it is empty then.
    ///
    /// Not an error: there is none.
    ///
    /// Call it only when no machine and no daemon of the home is left.
    public func remove() {
        guard HomeAlias.target(of: link) == home else { return }
        unlink(link)
        rmdir(directory)
    }

    private func prepareDirectory() throws {
        // Root's machines run as another user, who has to pass through; nobody else may write.
        let mode: mode_t = geteuid() == 0 ? 0o711 : 0o700
        let made = mkdir(directory, mode) == 0
        guard made || errno == EEXIST else { throw failed(directory, errno) }
        let handle = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard handle >= 0 else { throw unsafe(directory) }
        defer { close(handle) }
        // The umask may have taken bits away.
        if made { fchmod(handle, mode) }
        var found = stat()
        guard fstat(handle, &found) == 0, found.st_uid == geteuid(), found.st_mode & 0o022 == 0 else {
            throw unsafe(directory)
        }
    }

    private func prepareLink() throws {
        if symlink(home, link) == 0 { return }
        guard errno == EEXIST else { throw failed(link, errno) }
        guard HomeAlias.target(of: link) == home else { throw unsafe(link) }
    }

    private func unsafe(_ path: String) -> KilnError {
        KilnError(
            .aliasUnsafe,
            "\(path) isn't what kiln made for \(home): expected it to belong to user id \(geteuid()) alone",
            hint: "find out who made it and remove it, or set KILN_HOME to a path of at most 29 bytes",
            exit: .blocked
        )
    }

    private func failed(_ path: String, _ code: Int32) -> KilnError {
        KilnError(
            .aliasFailed,
            "\(path) can't be made; it is the short name of \(home)",
            hint: "set KILN_HOME to a path of at most 29 bytes",
            cause: String(cString: strerror(code))
        )
    }

    private static func target(of link: String) -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: link)
    }

    static func isPlain(_ path: String) -> Bool {
        path.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
            case UInt8(ascii: "0")...UInt8(ascii: "9"): true
            default: "/._-".utf8.contains(byte)
            }
        }
    }

    /// FNV-1a folded to 32 bits: eight characters are all that fits.
    ///
    /// Should two homes of a user ever share a value, the
    /// second is refused, because the link then leads elsewhere.
    static func hash(_ text: String) -> String {
        var value: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let folded = UInt32(truncatingIfNeeded: value ^ (value >> 32))
        let digits = String(folded, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}
