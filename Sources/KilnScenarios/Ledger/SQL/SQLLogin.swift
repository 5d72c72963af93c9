import KilnSystem

/// Whom a database takes a session for.
public struct SQLLogin: Sendable, Hashable {
    /// The database.
    public let database: SQLName
    /// The user.
    public let user: SQLName
    /// The user's password, where the database asks for one.
    public let password: String?

    /// A login from its parts.
    public init(database: SQLName, user: SQLName, password: String? = nil) {
        self.database = database
        self.user = user
        self.password = password
    }

    /// The program that talks to the database on a port of this host, statement by statement.
    ///
    /// It runs on the host and not in a guest: so it takes the way that users of the service take, a session stays open over
    /// many statements, which the guest agent can't do, and no image has to carry it.
    func command(_ program: String, port: UInt16, lifetime: Duration) -> Command {
        var command = Command(
            program,
            [
                "--no-psqlrc", "--no-align", "--tuples-only", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1",
                "--host=127.0.0.1", "--port=\(port)", "--username=\(user)", "--dbname=\(database)",
            ],
            deadline: lifetime
        )
        let patience = ["PGCONNECT_TIMEOUT": "10"]
        command.surroundings = .only(
            password.map { patience.merging(["PGPASSWORD": $0]) { old, _ in old } } ?? patience
        )
        command.endsWithParent = true
        return command
    }
}

/// A name in a database that needs no quotes beyond the usual ones, and that no program takes for anything else.
public struct SQLName: Sendable, Hashable, CustomStringConvertible {
    /// The name.
    public let text: String

    /// A name of 1 to 63 letters, digits, `_` and `-`, the first of them no `-`; nothing for anything else.
    ///
    /// `psql` takes what holds `=` or `://` for a whole connection, maybe to another host.
    public init?(_ text: String) {
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard isPlain, (1...63).contains(text.utf8.count), !text.hasPrefix("-") else { return nil }
        self.text = text
    }

    /// The name.
    public var description: String { text }

    /// The name as statements hold it.
    var quoted: String { "\"\(text)\"" }
}
