import Foundation

/// Something that is known of an external service while a run lasts, as texts name it: `${external.db.url}`.
public struct ExternalReference: Sendable, Hashable, CustomStringConvertible {
    /// What can be named.
    public enum Field: String, Sendable, Hashable, CaseIterable {
        /// All of it, as programs take it.
        case url
        /// Where guests reach it.
        case host
        /// Its port there.
        case port
        /// The user.
        case user
        /// The user's password, of this run only.
        case password
        /// The database.
        case database
    }

    /// The service.
    public let external: Name
    /// What of it.
    public let field: Field

    /// The reference as it is written.
    public var description: String { "${external.\(external).\(field.rawValue)}" }

    /// Reads `external.NAME.FIELD`; nothing for anything else.
    public init?(expression: String) {
        let parts = expression.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, parts[0] == "external", let external = try? Name(parts[1]),
            let field = Field(rawValue: parts[2])
        else { return nil }
        self.external = external
        self.field = field
    }

    /// What stands between `${` and `}` in `text` and begins as a reference does, valid or not.
    public static func expressions(in text: String) -> [String] {
        guard text.contains("${external.") else { return [] }
        return PortReference.expressions(in: text).filter { $0.hasPrefix("external.") }
    }

    /// `text` with each reference replaced by what `value` gives for it; what it gives nothing for stays as it is.
    public static func replacing(in text: String, with value: (ExternalReference) -> String?) -> String {
        guard text.contains("${external.") else { return text }
        return PortReference.replacingExpressions(in: text) { ExternalReference(expression: $0).flatMap(value) }
    }
}

/// How an external service is reached and used while its run lasts.
public struct ExternalAccess: Sendable, Hashable, Codable {
    /// The address by which guests with QEMU's user-mode network reach the loopback of the host.
    public static let guestHost = "10.0.2.2"

    /// The port, of the host's 127.0.0.1 and of ``guestHost``.
    public let port: UInt16
    /// The user.
    public let user: String
    /// The user's password; it holds letters and digits only, so no shell or URL takes it for anything else.
    public let password: String
    /// The database.
    public let database: String

    /// An access from its parts.
    public init(port: UInt16, user: String, password: String, database: String) {
        self.port = port
        self.user = user
        self.password = password
        self.database = database
    }

    /// What a guest is given for a reference.
    public func value(_ field: ExternalReference.Field) -> String {
        switch field {
        case .url: "postgresql://\(user):\(password)@\(ExternalAccess.guestHost):\(port)/\(database)"
        case .host: ExternalAccess.guestHost
        case .port: String(port)
        case .user: user
        case .password: password
        case .database: database
        }
    }
}

extension [Name: ExternalAccess] {
    /// `text` with each reference to one of these services replaced.
    public func put(into text: String) -> String {
        isEmpty ? text : ExternalReference.replacing(in: text) { self[$0.external]?.value($0.field) }
    }
}
