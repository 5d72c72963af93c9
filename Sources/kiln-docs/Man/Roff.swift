/// A piece of text in a manual page, with how it looks.
enum Span {
    case plain(String)
    case bold(String)
    case italic(String)

    /// The escaped text, with its change of font.
    var roff: String {
        switch self {
        case .plain(let text): Roff.escaped(text)
        case .bold(let text): "\\fB\(Roff.escaped(text))\\fR"
        case .italic(let text): "\\fI\(Roff.escaped(text))\\fR"
        }
    }
}

/// A manual page that is being written, in the macros of man(7).
struct Roff {
    private var lines: [String]

    /// Begins a page; `date` is YYYY-MM-DD.
    init(title: String, section: Int, date: String, version: String) {
        lines = [
            ".\\\" Written by kiln-docs; do not edit.",
            ".TH \(Roff.escaped(title.uppercased())) \(section) \(date) "
                + "\"Kiln \(Roff.escaped(version))\" \"Kiln manual\"",
            // Words are neither hyphenated nor spread: much of a page is to be copied.
            ".nh", ".ad l",
        ]
    }

    /// The page.
    var text: String { lines.joined(separator: "\n") + "\n" }

    mutating func section(_ title: String) { lines.append(".SH \(Roff.escaped(title.uppercased()))") }

    mutating func subsection(_ title: String) { lines.append(".SS \(Roff.escaped(title))") }

    /// A paragraph for each of those in `text`, which an empty line parts.
    mutating func paragraphs(_ text: String) {
        for paragraph in Roff.paragraphs(of: text) {
            beginParagraph()
            lines += Roff.wrapped(Roff.escaped(paragraph))
        }
    }

    /// A line of its own, as in a synopsis.
    mutating func usage(_ spans: [Span]) {
        beginParagraph()
        lines.append(Roff.line(spans))
    }

    /// A term with what it means, in paragraphs.
    mutating func term(_ spans: [Span], _ about: String) {
        lines += [".TP", Roff.line(spans)]
        let paragraphs = Roff.paragraphs(of: about)
        // An empty line would be a paragraph; a term without a body still needs one.
        lines += Roff.wrapped(Roff.escaped(paragraphs.first ?? ""))
        for paragraph in paragraphs.dropFirst() { lines += [".IP"] + Roff.wrapped(Roff.escaped(paragraph)) }
    }

    /// What `body` writes, further to the right.
    mutating func indented(_ body: (inout Roff) -> Void) {
        lines.append(".RS")
        body(&self)
        lines.append(".RE")
    }

    /// Text whose lines stay as they are.
    mutating func example(_ text: String) {
        lines += [".RS 4", ".EX"]
        lines += text.split(separator: "\n", omittingEmptySubsequences: false).map {
            Roff.line(Roff.escaped(String($0)))
        }
        lines += [".EE", ".RE"]
    }

    /// A heading begins a paragraph by itself.
    private mutating func beginParagraph() {
        if lines.last?.hasPrefix(".SH") == false { lines.append(".PP") }
    }

    private static func line(_ spans: [Span]) -> String { line(spans.map(\.roff).joined()) }

    /// A line that begins with what would be a request, or is empty, stays text.
    private static func line(_ roff: String) -> String { roff.isEmpty || roff.hasPrefix(".") ? "\\&\(roff)" : roff }

    /// Lines of 80 bytes at most, where words allow it.
    private static func wrapped(_ roff: String) -> [String] {
        let lines = roff.split(separator: " ").reduce(into: [String]()) { lines, word in
            if let last = lines.last, last.utf8.count + word.utf8.count < 78 {
                lines[lines.count - 1] = "\(last) \(word)"
            } else {
                lines.append(String(word))
            }
        }
        return (lines.isEmpty ? [""] : lines).map { line($0) }
    }

    private static func paragraphs(of text: String) -> [String] {
        text.split(separator: "\n\n").map { paragraph in
            paragraph.split(separator: "\n").map { $0.trimmingPrefix { $0 == " " } }.joined(separator: " ")
        }
    }

    /// The text with everything that roff would act on, or show as another character, written out.
    static func escaped(_ text: String) -> String {
        text.reduce(into: "") { $0 += special[$1] ?? String($1) }
    }

    private static let special: [Character: String] = [
        "\\": "\\e", "-": "\\-", "'": "\\(aq", "\"": "\\(dq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti", "…": "...",
        "–": "\\(en", "≥": "\\(>=", "≤": "\\(<=", "\n": " ", "\t": " ",
    ]
}
