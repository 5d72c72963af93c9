/// A published port of a server as user-data names it: `${servers.db.ports.sql}`.
public struct PortReference: Sendable, Hashable, CustomStringConvertible {
    /// The server whose port is meant.
    public let server: Name
    /// The port.
    public let port: Name

    /// A reference from its parts.
    public init(server: Name, port: Name) {
        self.server = server
        self.port = port
    }

    /// The reference as it is written.
    public var description: String { "${servers.\(server).ports.\(port)}" }

    /// The `${…}` parts of `text` that start with a word and a point, which no shell accepts as an expansion.
    ///
    /// Each is given without `${` and `}`.
    public static func expressions(in text: String) -> [String] {
        pieces(of: text).compactMap { if case .expression(let inner) = $0 { inner } else { nil } }
    }

    /// The `${…}` parts of `text` in another form that name servers and ports: with blanks, brackets, a default or two braces.
    ///
    /// Each is given without `${` and `}`. They stay as they are.
    public static func nearMisses(in text: String) -> [String] {
        // By Unicode's boundaries a word goes on behind a point.
        let words = /\bservers\b.*\bports\b/.wordBoundaryKind(.simple)
        var found: [String] = []
        var rest = text[...]
        while let dollar = rest.utf8.firstIndex(of: UInt8(ascii: "$")) {
            rest = rest[rest.utf8.index(after: dollar)...]
            guard rest.utf8.first == UInt8(ascii: "{"), let end = end(in: rest) else { continue }
            let inner = rest[rest.utf8.index(after: rest.startIndex)..<end]
            let isOne = !isExpression(inner) && !inner.contains("${") && !inner.contains(where: \.isNewline)
            if isOne, inner.firstMatch(of: words) != nil { found.append(String(inner)) }
        }
        return found
    }

    /// Reads `servers.NAME.ports.NAME`; nothing for anything else.
    public init?(expression: String) {
        let parts = expression.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 4, parts[0] == "servers", parts[2] == "ports",
            let server = try? Name(parts[1]), let port = try? Name(parts[3])
        else { return nil }
        self.init(server: server, port: port)
    }

    /// `text` with every reference replaced by what `value` gives for it; other parts stay as they are.
    public static func replacing(in text: String, with value: (PortReference) throws -> String) rethrows -> String {
        try replacingExpressions(in: text) { try PortReference(expression: $0).map(value) }
    }

    /// `text` with each of ``expressions(in:)`` replaced by what `value` gives for it; what it gives nothing for stays.
    static func replacingExpressions(in text: String, with value: (String) throws -> String?) rethrows -> String {
        try pieces(of: text).map { piece in
            switch piece {
            case .text(let text): text
            case .expression(let inner): try value(inner) ?? "${\(inner)}"
            }
        }.joined()
    }

    private enum Piece {
        case text(String)
        case expression(String)
    }

    private static func pieces(of text: String) -> [Piece] {
        var pieces: [Piece] = []
        var rest = text[...]
        var plain = ""
        while let dollar = rest.firstIndex(of: "$") {
            plain += rest[..<dollar]
            rest = rest[dollar...]
            if rest.hasPrefix("${"), let end = end(in: rest) {
                let inner = rest[rest.index(dollar, offsetBy: 2)..<end]
                if isExpression(inner) {
                    pieces += [.text(plain), .expression(String(inner))]
                    plain = ""
                    rest = rest[rest.index(after: end)...]
                    continue
                }
            }
            plain.append("$")
            rest = rest.dropFirst()
        }
        return pieces + [.text(plain + rest)]
    }

    // No reference is longer, and a text may open half a million that never end.
    private static func end(in text: Substring) -> String.Index? {
        text.utf8.prefix(256).firstIndex(of: UInt8(ascii: "}"))
    }

    private static func isExpression(_ inner: Substring) -> Bool {
        let word = inner.prefix { $0.isASCII && ($0.isLetter || $0 == "_") }
        return !word.isEmpty && inner.dropFirst(word.count).first == "."
            && inner.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) }
    }
}
