import Crypto
import KilnModel
import KilnSystem

/// What a guest said, as text that can be saved.
enum SavedOutput {
    /// The most bytes that are saved under one name.
    static let largest = 64 << 10

    /// The text without its last line breaks, as a shell has it of a command; what is no UTF-8 is replaced.
    static func text(_ bytes: [UInt8]) -> String {
        var end = bytes.count
        while end > 0, bytes[end - 1] == UInt8(ascii: "\n") || bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
        return String(decoding: bytes[..<end], as: UTF8.self)
    }

    /// The text made safe to print.
    static func printable(_ text: String) -> String { Printable.text(text.utf8) }

    /// The digest as hexadecimal digits.
    static func sha256(_ bytes: [UInt8]) -> String { SHA256.hash(data: bytes).hexadecimal }
}
