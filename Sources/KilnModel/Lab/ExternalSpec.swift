/// A service beside the machines of a scenario's run, which Kiln runs on the host for as long as the run lasts.
public enum ExternalSpec: Sendable, Hashable {
    /// A PostgreSQL server.
    case postgres(PostgresSpec)

    /// What it is, for people.
    public var title: String {
        switch self {
        case .postgres(let spec): spec.version.map { "PostgreSQL \($0)" } ?? "PostgreSQL"
        }
    }
}

/// A PostgreSQL server of a run, with one database and its owner.
public struct PostgresSpec: Sendable, Hashable {
    /// The versions that can be asked for: those whose passwords, settings and programs are what Kiln says to them.
    public static let versions = 14...99

    /// The major version; nothing means the newest that the host has.
    public let version: Int?
    /// The database.
    public let database: String
    /// The user, who owns the database and is nothing else in the server.
    public let user: String

    /// A server from its parts.
    public init(version: Int? = nil, database: String, user: String) {
        self.version = version
        self.database = database
        self.user = user
    }
}

/// An external service of one lab.
public struct ExternalID: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The lab of the run.
    public let lab: Name
    /// What the scenario calls it.
    public let name: Name

    /// An id from its parts.
    public init(lab: Name, name: Name) {
        self.lab = lab
        self.name = name
    }

    /// Lab and name.
    public var description: String { "\(lab)/\(name)" }

    /// By lab, then by name.
    public static func < (left: ExternalID, right: ExternalID) -> Bool {
        (left.lab, left.name) < (right.lab, right.name)
    }
}
