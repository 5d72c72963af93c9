/// Takes a shell script apart into words and signs, as far as a judgement on its commands needs it.
///
/// A text that no shell accepts gives some tokens too: whoever runs it gets an error, and no judgement is better.
struct ShellLexer {
    private let text: [Unicode.Scalar]
    private var at = 0
    private var line = 0
    private var tokens: [ShellToken] = []
    private var awaited: [(end: String, isLiteral: Bool, isIndented: Bool)] = []

    static func tokens(of script: String) -> [ShellToken] {
        var lexer = ShellLexer(script)
        while lexer.readToken() {}
        return lexer.tokens
    }

    private init(_ script: String) { text = Array(script.unicodeScalars) }

    private var next: Unicode.Scalar? { at < text.count ? text[at] : nil }

    private func follows(_ sign: String) -> Bool {
        text[at...].starts(with: sign.unicodeScalars)
    }

    private mutating func add(_ kind: ShellToken.Kind, from start: Int? = nil) {
        tokens.append(ShellToken(kind: kind, line: start ?? line))
    }

    private mutating func readToken() -> Bool {
        guard let scalar = next else { return false }
        switch scalar {
        case " ", "\t", "\r":
            at += 1
        case "\\" where follows("\\\n"):
            (at, line) = (at + 2, line + 1)
        case "#":
            while at < text.count, next != "\n" { at += 1 }
        case "\n":
            at += 1
            readDocuments()
            add(.sign("\n"))
            line += 1
        case "<", ">":
            readRedirection()
        case ";", "&", "|", "(", ")":
            readSign()
        default:
            readPlainWord()
        }
        return true
    }

    private mutating func readSign() {
        for sign in ["&>>", "&>"] where follows(sign) {
            at += sign.count
            return add(.output)
        }
        let sign = [";;", "&&", "||", "|&", ";", "&", "|", "(", ")"].first { follows($0) } ?? ";"
        at += sign.count
        add(.sign(sign == "|&" ? "|" : sign))
    }

    private mutating func readRedirection() {
        if follows("<(") || follows(">(") { return readPlainWord() }
        let sign = ["<<<", "<<-", "<<", "<&", "<>", ">>", ">&", ">|", "<", ">"].first { follows($0) } ?? "<"
        at += sign.count
        switch sign {
        case "<<<":
            add(.document(readWord()))
        case "<<", "<<-":
            let start = at
            let end = readWord()
            let isLiteral = text[start..<at].contains { "'\"\\".unicodeScalars.contains($0) }
            awaited.append((end.literal ?? "", isLiteral, sign == "<<-"))
        case "<", "<&":
            add(.input)
        default:
            add(.output)
        }
    }

    private mutating func readPlainWord() {
        let start = line
        let word = readWord()
        // The number before a redirection is a descriptor.
        let isDescriptor = word.literal.map { $0.allSatisfy(\.isNumber) } ?? false
        if isDescriptor, next == "<" || next == ">" { return }
        add(.word(word), from: start)
    }

    /// Reads the here-documents that were announced on the line that ends here.
    private mutating func readDocuments() {
        for document in awaited {
            var lines: [String] = []
            while at < text.count {
                let end = text[at...].firstIndex(of: "\n") ?? text.count
                var body = String(String.UnicodeScalarView(text[at..<end]))
                at = min(end + 1, text.count)
                if document.isIndented { body = String(body.drop { $0 == "\t" }) }
                if body == document.end { break }
                lines.append(body)
            }
            let body = lines.joined(separator: "\n")
            add(.document(document.isLiteral ? ShellWord(pieces: [.text(body)]) : ShellLexer.expanded(body)))
            line += lines.count + 1
        }
        awaited = []
    }

    /// The text of a document, in which variables are replaced.
    private static func expanded(_ body: String) -> ShellWord {
        var lexer = ShellLexer(body)
        var word = ShellWord(pieces: [.text("")])
        lexer.readQuoted(into: &word, until: nil)
        return word
    }
}

extension ShellLexer {
    private static let ends = Set(" \t\r\n;&|()<>".unicodeScalars)
    private static let special = Set("'\"\\$`*?}".unicodeScalars)
    private static let quotedSpecial = Set("\"\\$`\n".unicodeScalars)

    private mutating func readWord() -> ShellWord {
        var word = ShellWord()
        while next == " " || next == "\t" { at += 1 }
        while let scalar = next {
            if follows("<(") || follows(">(") {
                at += 1
                word.pieces.append(.output(of: readParenthesis()))
                continue
            }
            if Self.ends.contains(scalar) { break }
            readPiece(scalar, into: &word)
        }
        return word
    }

    private mutating func readPiece(_ scalar: Unicode.Scalar, into word: inout ShellWord) {
        at += 1
        switch scalar {
        case "'":
            word.pieces.append(.text(readLiteral()))
            word.joinTexts()
        case "\"":
            word.pieces.append(.text(""))
            word.joinTexts()
            readQuoted(into: &word, until: "\"")
        case "\\":
            readEscape(into: &word, of: nil)
        case "$" where next == "'" || next == "\"":
            break
        case "$", "`":
            readExpansion(scalar, isQuoted: false, into: &word)
        case "*", "?":
            word.append(String(scalar))
            word.pieces.append(.unknown)
        default:
            word.append(readRun(from: scalar, until: Self.ends.union(Self.special)))
        }
    }

    /// The scalars from the one before here on that mean nothing to a shell, at once: a word may be as long as a file.
    private mutating func readRun(from first: Unicode.Scalar, until ends: Set<Unicode.Scalar>) -> String {
        let end = text[at...].firstIndex(where: ends.contains) ?? text.count
        defer { at = end }
        return String(first) + String(String.UnicodeScalarView(text[at..<end]))
    }

    /// What stands up to the next single quote.
    private mutating func readLiteral() -> String {
        let end = text[at...].firstIndex(of: "'") ?? text.count
        let literal = String(String.UnicodeScalarView(text[at..<end]))
        line += literal.count { $0.isNewline }
        at = min(end + 1, text.count)
        return literal
    }

    private mutating func readQuoted(into word: inout ShellWord, until end: Unicode.Scalar?) {
        while let scalar = next {
            at += 1
            switch scalar {
            case end: return
            case "\\": readEscape(into: &word, of: "$`\"\\\n")
            case "$", "`": readExpansion(scalar, isQuoted: true, into: &word)
            case "\n":
                line += 1
                word.append("\n")
            default:
                word.append(readRun(from: scalar, until: Self.quotedSpecial))
            }
        }
    }

    /// Reads what follows a backslash, which stands for itself before anything but `special`.
    private mutating func readEscape(into word: inout ShellWord, of special: String?) {
        guard let scalar = next else { return word.append("\\") }
        at += 1
        guard scalar != "\n" else {
            line += 1
            return
        }
        if let special, !special.unicodeScalars.contains(scalar) { word.append("\\") }
        word.append(String(scalar))
    }

    private mutating func readExpansion(_ sign: Unicode.Scalar, isQuoted: Bool, into word: inout ShellWord) {
        if sign == "`" {
            let end = text[at...].firstIndex(of: "`") ?? text.count
            word.pieces.append(.output(of: String(String.UnicodeScalarView(text[at..<end]))))
            at = min(end + 1, text.count)
        } else if follows("((") {
            _ = readParenthesis()
            word.pieces.append(.unknown)
        } else if next == "(" {
            word.pieces.append(.output(of: readParenthesis()))
        } else if next == "{" {
            at += 1
            readBraces(isQuoted, into: &word)
        } else {
            let name = readName()
            guard !name.isEmpty else { return word.append("$") }
            word.pieces.append(.variable(name, isQuoted: isQuoted, otherwise: nil))
        }
    }

    /// A variable's name; also the shell's own, such as `1`, `@` and `?`.
    private mutating func readName() -> String {
        guard let first = next else { return "" }
        if "@*#?$!-0123456789".unicodeScalars.contains(first) {
            at += 1
            return String(first)
        }
        var name = ""
        while let scalar = next, scalar == "_" || scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) {
            name.unicodeScalars.append(scalar)
            at += 1
        }
        return name
    }

    /// `${name}`, `${name:-other}` and the like, after the opening brace.
    private mutating func readBraces(_ isQuoted: Bool, into word: inout ShellWord) {
        let name = readName()
        let sign = [":-", ":=", ":+", ":?", "-", "=", "+", "?"].first { follows($0) }
        let isPlain = next == "}"
        at += sign?.count ?? 0
        var rest = ShellWord()
        while let scalar = next, scalar != "}" {
            guard Self.ends.contains(scalar) else {
                readPiece(scalar, into: &rest)
                continue
            }
            rest.append(String(scalar))
            at += 1
        }
        at = min(at + 1, text.count)
        guard isPlain || sign != nil else { return word.pieces.append(.changed(name)) }
        let otherwise = isPlain || sign?.hasSuffix("?") ?? false ? nil : rest
        word.pieces.append(.variable(name, isQuoted: isQuoted, otherwise: otherwise))
    }

    /// What stands between the parenthesis here and the one that closes it; quoted ones do not count.
    private mutating func readParenthesis() -> String {
        at += 1
        let start = at
        var depth = 1
        while let scalar = next {
            at += 1
            switch scalar {
            case "\\": at = min(at + 1, text.count)
            case "'": _ = readLiteral()
            case "\"":
                var ignored = ShellWord()
                readQuoted(into: &ignored, until: "\"")
            case "(": depth += 1
            case ")": depth -= 1
            case "\n": line += 1
            default: break
            }
            if depth == 0 { break }
        }
        return String(String.UnicodeScalarView(text[start..<max(start, depth == 0 ? at - 1 : at)]))
    }
}

extension ShellWord {
    /// Makes one text of those at the end.
    fileprivate mutating func joinTexts() {
        guard pieces.count > 1, case .text(let last) = pieces[pieces.count - 1],
            case .text(let before) = pieces[pieces.count - 2]
        else { return }
        pieces.removeLast(2)
        pieces.append(.text(before + last))
    }
}
