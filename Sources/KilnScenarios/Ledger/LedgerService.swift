import KilnModel

/// A service that takes records over HTTP.
public struct LedgerService: Sendable, Hashable {
    /// Where the records can be read that it holds.
    public enum Contents: Sendable, Hashable {
        /// A path that it answers with all of them.
        case path(String)
        /// A file in the guest.
        case file(String)
    }

    /// With which method it takes a record.
    public enum Method: String, Sendable, Hashable, Codable, CaseIterable {
        /// To one path for all.
        case post
        /// To a path for each.
        case put
    }

    /// The published port.
    public let port: Name
    /// With which method it takes a record, which is the body.
    public let method: Method
    /// To which path; `{number}` stands for the record's number.
    public let path: String
    /// What the body of an answer with a status of 2xx has to hold for the record to count as acknowledged; `{number}` and
    /// `{checksum}` stand for the record's.
    public let echo: String
    /// Where the records can be read that it holds.
    public let contents: Contents

    /// A service from its parts.
    public init(
        port: Name,
        method: Method = .post,
        path: String,
        echo: String = "{checksum}",
        contents: Contents
    ) {
        self.port = port
        self.method = method
        self.path = path
        self.echo = echo
        self.contents = contents
    }

    /// Why records can't be sent to it; nothing where they can.
    var refusal: String? {
        let paths = [path.replacing("{number}", with: "1")] + (contentsPath.map { [$0] } ?? [])
        if let wrong = paths.first(where: { !HTTPProbe.isPath($0) }) {
            return "expected a path from '/' on, without blanks, found \(Name.quoted(wrong))"
        }
        if method == .put, !path.contains("{number}") {
            return "expected '{number}' in \(Name.quoted(path)): with 'put' each record would replace the one before"
        }
        return echo.isEmpty ? "expected a text that the answer holds, found none" : nil
    }

    private var contentsPath: String? { if case .path(let path) = contents { path } else { nil } }
}

/// A database that takes records as rows.
public struct LedgerTable: Sendable, Hashable {
    /// The published port.
    public let port: Name
    /// Whom the database takes a session for.
    public let login: SQLLogin

    /// A database from its parts.
    public init(port: Name, login: SQLLogin) {
        self.port = port
        self.login = login
    }
}
