import KilnDocuments
import KilnModel

/// The kinds of external services.
enum ExternalFields: String, FileField {
    case postgres

    static let required: [ExternalFields] = [.postgres]

    var schema: JSONValue {
        Schema.object(PostgresFields.self, "A PostgreSQL server with one database; an empty map is enough.")
    }
}

/// The fields of a PostgreSQL server.
enum PostgresFields: String, FileField {
    case version, database, user

    static let required: [PostgresFields] = []

    var schema: JSONValue {
        switch self {
        case .version: Schema.whole(PostgresSpec.versions, "Its major version; the newest of the host without it.")
        case .database: Schema.text("The database; as the service without it.")
        case .user: Schema.text("The user, who owns the database; as the database without it.")
        }
    }
}

/// Reads `external`.
enum ExternalDecoder {
    /// Names that are PostgreSQL's own, or Kiln's.
    private static let ownDatabases: Set<String> = ["postgres", "template0", "template1"]
    private static let ownUsers: Set<String> = ["kiln", "public", "none"]

    /// The services by name; those that could not be read are reported and left out.
    static func decode(_ value: Value) -> [Name: ExternalSpec] {
        if case .map(let entries) = value.node.content, entries.isEmpty { value.mismatch("at least one service") }
        var found: [Name: ExternalSpec] = [:]
        for (entry, value) in value.entries(of: "services of the host") ?? [] {
            guard let name = value.key(entry),
                let fields = Fields<ExternalFields>(value, "a map with 'postgres'"),
                let postgres = fields[.postgres]
            else { continue }
            found[name] = spec(postgres, name).map(ExternalSpec.postgres)
        }
        return found
    }

    private static func spec(_ value: Value, _ name: Name) -> PostgresSpec? {
        guard let fields = Fields<PostgresFields>(value, "a map, such as {}") else { return nil }
        let version = fields[.version].map { $0.whole(in: PostgresSpec.versions) }
        let database = fields[.database].map { self.name($0, besides: ownDatabases) } ?? name.text
        let user = fields[.user].map { self.name($0, besides: ownUsers) } ?? database
        guard let database, let user, version != .some(nil) else { return nil }
        // What is not written is as the service is called, and has to be as good.
        for (what, text, own) in [("database", database, ownDatabases), ("user", user, ownUsers)]
        where own.contains(text) {
            value.problem("the \(what) '\(text)' is PostgreSQL's or Kiln's own; say another '\(what)'")
            return nil
        }
        return PostgresSpec(version: version ?? nil, database: database, user: user)
    }

    private static func name(_ value: Value, besides own: Set<String>) -> String? {
        guard let text = value.text() else { return nil }
        guard let name = SQLName(text), !text.hasPrefix("pg_"), !own.contains(text) else {
            value.problem(
                "expected 1 to 63 letters, digits, '_' and '-', and no name of PostgreSQL's or Kiln's own, found "
                    + Name.quoted(text)
            )
            return nil
        }
        return name.text
    }
}
