/// A process that has a file open.
public struct FileHolder: Sendable, Hashable, CustomStringConvertible {
    /// Its process id.
    public let pid: Int32
    /// Its name, as the kernel tells it.
    public let name: String

    /// A holder from its parts.
    public init(pid: Int32, name: String) {
        self.pid = pid
        self.name = name
    }

    /// `name (pid n)`.
    public var description: String { "\(name) (pid \(pid))" }
}

/// Tells who has a file open, by whatever path.
public protocol HolderInspection: Sendable {
    /// The processes that have the file open, as far as they can be seen.
    func holders(of path: String) throws -> [FileHolder]
    /// Whether a lock that excludes every QEMU can be taken on the file right now.
    func isLockObtainable(_ path: String) throws -> Bool
}
