import KilnModel
import KilnSystem

/// Texts that nobody vouches for, fit for a report: printable, and of a bounded size.
enum PageText {
    /// A text on one line, cut at its end.
    static func line(_ text: String, _ most: Int = 120) -> String {
        let plain = plain(text, most).replacing("\n", with: " ").replacing("\t", with: " ")
        return cut(Printable.line(plain), most)
    }

    /// A text of several lines, cut at its end.
    static func block(_ text: String, _ most: Int = 1_000) -> String {
        cut(Printable.text(plain(text, most).utf8, limit: .max), most)
    }

    // By scalars: one character may be of any number of them. What is looked at is bounded, too.
    private static func cut(_ text: String, _ most: Int) -> String {
        let scalars = text.unicodeScalars
        guard scalars.count > most else { return text }
        return String(String.UnicodeScalarView(scalars.prefix(most - 1))) + "…"
    }

    // Of colours nothing but their digits would be left.
    private static func plain(_ text: String, _ most: Int) -> String {
        let head = String(String.UnicodeScalarView(text.unicodeScalars.prefix(4 * most)))
        return head.replacing(#/\u{1b}\[[0-9;?]*[A-Za-z]/#, with: "")
    }

    /// The first line of a text.
    static func first(_ text: String, _ most: Int = 160) -> String {
        line(text.split(separator: "\n").first.map(String.init) ?? "", most)
    }
}
