/// What is expected at a path; the last name of the path may be a link, which is looked at itself.
///
/// Content and digest are those of the file that a link leads to.
public struct FileResource: Sendable, Hashable, Codable {
    /// What can lie at a path.
    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        /// A regular file.
        case file
        /// A directory.
        case directory
        /// A symbolic link.
        case symlink
        /// A socket.
        case socket
        /// A named pipe.
        case fifo
        /// A block device.
        case block = "block-device"
        /// A character device.
        case character = "character-device"
    }

    /// The path.
    public let path: RootPath
    /// Whether anything lies there.
    public var exists = true
    /// What lies there.
    public var type: Kind?
    /// The permission bits, 12 of them.
    public var mode: UInt16?
    /// The user who owns it, by name or number.
    public var owner: TextPattern?
    /// The group that owns it, by name or number.
    public var group: TextPattern?
    /// The bytes of a regular file.
    public var size: NumberCondition?
    /// What its content has to be like; all of it holds.
    public var contents: [TextPattern]?
    /// The sha256 of its content.
    public var sha256: ImageDigest?
    /// Where a link leads, as it is written in it.
    public var linkedTo: TextPattern?

    /// A path at which something lies.
    public init(path: RootPath) { self.path = path }
}
