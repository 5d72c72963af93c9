/// What is expected of a Debian package.
public struct PackageResource: Sendable, Hashable, Codable {
    /// The package's name.
    public let name: String
    /// Whether it is installed.
    public var installed = true
    /// What its version is; of several architectures one has to be it.
    public var versions: [TextPattern]?

    /// A package that is installed.
    public init(name: String) { self.name = name }
}

/// What is expected of an account in `/etc/passwd`.
public struct UserResource: Sendable, Hashable, Codable {
    /// The account's name.
    public let name: String
    /// Whether there is one.
    public var exists = true
    /// Its number.
    public var uid: NumberCondition?
    /// The number of its own group.
    public var gid: NumberCondition?
    /// Its home directory.
    public var home: TextPattern?
    /// Its shell.
    public var shell: TextPattern?
    /// The groups that it is in, its own among them; each is one of them.
    public var groups: [TextPattern]?

    /// An account that is there.
    public init(name: String) { self.name = name }
}

/// What is expected of a group in `/etc/group`.
public struct GroupResource: Sendable, Hashable, Codable {
    /// The group's name.
    public let name: String
    /// Whether there is one.
    public var exists = true
    /// Its number.
    public var gid: NumberCondition?

    /// A group that is there.
    public init(name: String) { self.name = name }
}
