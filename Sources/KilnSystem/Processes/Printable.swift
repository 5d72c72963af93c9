import Foundation

/// Hostile bytes made safe to print.
public enum Printable {
    /// The bytes as text: invalid UTF-8 and control characters replaced (a line break stays), cut after `limit` characters.
    ///
    /// Of a longer text the end is kept, because programs say last what made them give up.
    public static func text(_ bytes: some Sequence<UInt8>, limit: Int = 2_000) -> String {
        let decoded = String(decoding: Array(bytes), as: UTF8.self)
        // A carriage return before a line break is common and means nothing; elsewhere it would overwrite the line.
        let scalars = decoded.unicodeScalars.lazy.filter { $0 != "\r" }.map {
            isHarmless($0) ? Character($0) : "\u{fffd}"
        }
        let cleaned = String(scalars).trimmingCharacters(in: .whitespacesAndNewlines)
        return cleaned.count > limit ? "…" + cleaned.suffix(limit) : cleaned
    }

    /// A text on one line, with control characters replaced.
    public static func line(_ text: String) -> String {
        let scalars = text.unicodeScalars.map { isHarmless($0) && $0 != "\n" ? Character($0) : "\u{fffd}" }
        return String(scalars)
    }

    private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        if scalar == "\n" || scalar == "\t" { return true }
        switch scalar.properties.generalCategory {
        // Format characters could turn the direction of what follows them on a terminal.
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: return false
        default: return true
        }
    }
}
