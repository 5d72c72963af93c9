import KilnDocuments
import KilnModel

/// The fields of a service that takes records over HTTP.
enum LedgerServiceFields: String, FileField {
    case port, method, path, echo, contents, file

    static let required: [LedgerServiceFields] = [.port, .path]

    var schema: JSONValue {
        switch self {
        case .port: Schema.name("A published port of the server.")
        case .method: Schema.words(LedgerService.Method.self, "post without it; put needs '{number}' in the path.")
        case .path: Schema.text("The path that takes a record, from '/'; '{number}' becomes its number.")
        case .echo:
            Schema.text(
                "What the answer has to hold; '{number}' and '{checksum}' become the record's; '{checksum}' without it."
            )
        case .contents: Schema.text("The path that answers with all records; 'path' without it and without 'file'.")
        case .file: Schema.guestPath("The file in the guest that holds all records, in place of 'contents'.")
        }
    }
}

extension LedgerService {
    /// Reads one; what is wrong is reported.
    init?(_ value: Value, ports: [Name]) {
        guard let fields = Fields<LedgerServiceFields>(value, "a map with 'port' and 'path'") else { return nil }
        let port = fields[.port]?.reference("port of this server", among: ports)
        let method = fields[.method].map { $0.word(LedgerService.Method.self) } ?? .post
        let path = fields[.path]?.text("a path from '/'")
        let echo = fields[.echo].map { $0.text() } ?? "{checksum}"
        if fields[.contents] != nil, let file = fields[.file] {
            file.problem("expected one of contents and file, found both")
        }
        let file = fields[.file].map { $0.guestPath("the file with the records") }
        let contents = fields[.contents].map { $0.text("a path from '/'") } ?? path
        guard let port, let method, let path, let echo, let contents, file != .some(nil) else { return nil }
        let place = file.flatMap(\.self).map(Contents.file) ?? .path(contents)
        self.init(port: port, method: method, path: path, echo: echo, contents: place)
    }
}

/// The fields of a database that takes records or transfers.
enum LedgerTableFields: String, FileField {
    case port, database, user, password

    static let required: [LedgerTableFields] = [.port, .database, .user]

    var schema: JSONValue {
        switch self {
        case .port: Schema.name("A published port of the server.")
        case .database: Schema.text("The database.")
        case .user: Schema.text("Its user.")
        case .password: Schema.text("The user's password, where the database asks for one.")
        }
    }
}

extension LedgerTable {
    /// Reads one; what is wrong is reported.
    init?(_ value: Value, ports: [Name]) {
        guard let fields = Fields<LedgerTableFields>(value, "a map with 'port', 'database' and 'user'") else {
            return nil
        }
        self.init(
            port: fields[.port]?.reference("port of this server", among: ports),
            database: fields[.database].flatMap(LedgerTable.name),
            user: fields[.user].flatMap(LedgerTable.name),
            password: fields[.password].map { $0.text() }
        )
    }

    private init?(port: Name?, database: SQLName?, user: SQLName?, password: String??) {
        guard let port, let database, let user, password != .some(nil) else { return nil }
        self.init(port: port, login: SQLLogin(database: database, user: user, password: password ?? nil))
    }

    private static func name(_ value: Value) -> SQLName? {
        guard let text = value.text() else { return nil }
        let name = SQLName(text)
        if name == nil { value.problem("expected 1 to 63 letters, digits, '_' and '-', found \(Name.quoted(text))") }
        return name
    }
}
