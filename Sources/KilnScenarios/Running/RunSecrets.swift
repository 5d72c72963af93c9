import Foundation
import KilnModel
import Synchronization

/// What a run knows and must not tell: passwords, keys and tokens of its user-data, of its requests and of its databases.
///
/// They are taken out of what a run says and keeps. What a guest made up by itself nobody here knows, but for private keys, which have
/// a form of their own.
struct RunSecrets: Sendable, Hashable {
    /// What stands in their place.
    static let mask = "[redacted]"
    /// What is shorter is a word that stands everywhere, and would make nothing secret.
    static let shortest = 4

    /// The longest first, for one may hold another.
    let texts: [String]

    /// Those texts.
    init(_ texts: some Sequence<String>) {
        self.texts = Set(texts.filter { $0.utf8.count >= RunSecrets.shortest })
            .sorted { ($0.utf8.count, $0) > ($1.utf8.count, $1) }
    }

    /// What a scenario knows.
    init(_ scenario: Scenario) {
        var found: Set<String> = []
        for server in scenario.lab.servers.values {
            found.formUnion(RunSecrets.ofUserData(server.userData, server.userDataDocument))
            for check in server.ready + server.warmReady + server.verify {
                if case .http(let probe) = check.probe { found.formUnion(RunSecrets.headers(probe)) }
            }
        }
        for step in (scenario.steps + scenario.finally).flatMap(\.all) { found.formUnion(step.action.secrets) }
        self.init(found)
    }

    /// A text without them.
    func hidden(_ text: String) -> String {
        let plain = texts.reduce(text) { $0.replacing($1, with: RunSecrets.mask) }
        return RunSecrets.withoutKeys(plain)
    }

    /// Bytes without them, also in the forms that JSON and XML give them.
    func hidden(_ bytes: Data) -> Data {
        var data = bytes
        for form in texts.flatMap(RunSecrets.forms) { data = RunSecrets.replaced(Data(form.utf8), in: data) }
        guard data.range(of: Data("PRIVATE KEY-----".utf8)) != nil else { return data }
        // What is no text keeps its bytes, unless there is a key in it.
        return Data(RunSecrets.withoutKeys(String(decoding: data, as: UTF8.self)).utf8)
    }

    private static func replaced(_ secret: Data, in data: Data) -> Data {
        var (found, rest) = (Data(), data[...])
        while let range = rest.range(of: secret) {
            found += rest[rest.startIndex..<range.lowerBound] + Data(mask.utf8)
            rest = rest[range.upperBound...]
        }
        return found.isEmpty ? data : found + rest
    }

    private static func withoutKeys(_ text: String) -> String {
        guard text.contains("PRIVATE KEY-----") else { return text }
        let key = #/-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)/#.dotMatchesNewlines()
        return text.replacing(key, with: mask)
    }

    private static func forms(_ text: String) -> [String] {
        let xml = text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        let json = (try? encoder.encode(text)).map { String(decoding: $0.dropFirst().dropLast(), as: UTF8.self) }
        return Set([text, xml, xml.replacing("\"", with: "&quot;"), json ?? text]).sorted {
            $0.utf8.count > $1.utf8.count
        }
    }
}

/// The secrets that are known by now: some of them, such as the password of a database of the run, are made while it goes on.
///
/// It has a lock of its own, for what is told asks for them while it is told.
public final class KnownSecrets: Sendable {
    private let known = Mutex(RunSecrets([]))

    /// None yet.
    public init() {}

    /// All of them.
    var all: RunSecrets { known.withLock { $0 } }

    /// Adds some.
    func add(_ secrets: RunSecrets) { known.withLock { $0 = RunSecrets($0.texts + secrets.texts) } }

    /// A text without them.
    @Sendable public func hidden(_ text: String) -> String { all.hidden(text) }
}

// MARK: - Finding them

extension RunSecrets {
    /// Words that what is secret is called by, in keys of any map.
    private static let words = ["passw", "secret", "token", "private", "apikey", "api_key", "api-key", "credential"]

    private static func isSecret(_ key: String) -> Bool {
        let key = key.lowercased()
        // What it holds besides passwords are names.
        guard key != "chpasswd" else { return false }
        return words.contains { key.contains($0) }
    }

    /// The secrets of user-data, in whichever form it is.
    static func ofUserData(_ config: JSONValue?, _ document: UserDataDocument?) -> [String] {
        var found: Set<String> = []
        if let config { take(config, &found) }
        if let text = document?.text { found.formUnion(assigned(in: text)) }
        return Array(found)
    }

    /// Takes the secrets of user-data.
    private static func take(_ value: JSONValue, _ found: inout Set<String>) {
        switch value {
        case .object(let fields):
            for (key, inner) in fields {
                if isSecret(key) { found.formUnion(texts(of: inner)) }
                if key == "chpasswd" { found.formUnion(texts(of: inner).flatMap(accounts)) }
                take(inner, &found)
            }
            if isClosedFile(fields), case .string(let content)? = fields["content"] { found.formUnion(lines(content)) }
        case .array(let list): for inner in list { take(inner, &found) }
        case .string(let text): found.formUnion(assigned(in: text))
        case .null, .bool, .int, .double: break
        }
    }

    private static func texts(of value: JSONValue) -> [String] {
        switch value {
        case .string(let text): [text] + lines(text)
        case .int(let number): ["\(number)"]
        case .array(let list): list.flatMap(texts)
        case .object(let fields): fields.values.flatMap(texts)
        case .null, .bool, .double: []
        }
    }

    /// The passwords in lines of `NAME:PASSWORD`.
    private static func accounts(_ text: String) -> [String] {
        text.split(separator: "\n").compactMap { line in
            line.firstIndex(of: ":").map { line[line.index(after: $0)...].trimmingCharacters(in: .whitespaces) }
        }
    }

    /// A file that only its owner may read holds nothing for others.
    private static func isClosedFile(_ fields: [String: JSONValue]) -> Bool {
        guard case .string(let mode)? = fields["permissions"], let bits = UInt16(mode, radix: 8) else { return false }
        return bits & 0o004 == 0
    }

    private static func lines(_ text: String) -> [String] {
        text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.filter { $0.utf8.count >= 8 }
    }

    /// What a text assigns to a name that tells of a secret, such as `DB_PASSWORD=…` or `"token": "…"`.
    private static func assigned(in text: String) -> [String] {
        let pair = #/(?<name>[A-Za-z0-9_.\-]+)["']?[ \t]*[=:][ \t]*["']?(?<value>[^\s"']+)/#
        return text.matches(of: pair).filter { isSecret(String($0.output.name)) }.map { String($0.output.value) }
    }

    /// What a request shows who it is from.
    static func headers(_ probe: HTTPProbe) -> [String] {
        let shown = ["authorization", "proxy-authorization", "cookie", "x-api-key", "x-auth-token"]
        return probe.headers.flatMap { name, value -> [String] in
            guard shown.contains(name.lowercased()) || isSecret(name), !value.contains("${saved.") else { return [] }
            // 'Bearer TOKEN': the token alone tells all.
            return [value] + value.split(separator: " ").dropFirst().map(String.init)
        }
    }
}

extension LedgerPlan {
    /// The password of the database that it is written to.
    var secrets: [String] { if case .sql(let table) = path { [table.login.password].compactMap(\.self) } else { [] } }
}
