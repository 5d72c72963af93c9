/// Hostile bytes made safe for a terminal.
///
/// A guest writes what it likes to its console. Sent to a terminal as they are, control sequences (ECMA-48 and OSC)
/// can change its title and its clipboard, forge output, or make it type. So everything that isn't plain text is shown as
/// `\u{…}`, and bytes that aren't UTF-8 as `\x…`.
enum ConsoleText {
    /// The text with line breaks and tabs kept, `\r\n` shortened to `\n`, and everything else that controls escaped.
    static func escaped(_ bytes: some Sequence<UInt8>) -> String {
        var escaper = ConsoleEscaper()
        return escaper.take(bytes) + escaper.finish()
    }

    /// The text on one line: line breaks and tabs become blanks.
    static func singleLine(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            if scalar == "\n" || scalar == "\t" || scalar == "\r" {
                result.append(" ")
            } else {
                result += shown(scalar)
            }
        }
        return result
    }

    /// The scalar itself where it is harmless, else its number.
    static func shown(_ scalar: Unicode.Scalar) -> String {
        switch scalar.properties.generalCategory {
        // Format characters turn the direction of the text after them.
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
            "\\u{\(String(scalar.value, radix: 16))}"
        default: String(scalar)
        }
    }
}

/// Escapes a stream whose chunks may end in the middle of a character.
struct ConsoleEscaper {
    private var pending: [UInt8] = []

    /// The text of what is complete so far.
    mutating func take(_ bytes: some Sequence<UInt8>) -> String {
        pending += bytes
        return drain(isLast: false)
    }

    /// The text of what was left incomplete.
    mutating func finish() -> String { drain(isLast: true) }

    private mutating func drain(isLast: Bool) -> String {
        var text = ""
        var index = 0
        while index < pending.count {
            let rest = pending[index...]
            if rest.first == UInt8(ascii: "\r") {
                if rest.count == 1 && !isLast { break }
                let next = rest.dropFirst().first
                // Guests often write \r\r\n; only a carriage return that would overwrite a line is shown.
                if next != UInt8(ascii: "\n") && next != UInt8(ascii: "\r") { text += "\\r" }
                index += 1
            } else if let (scalar, length) = ConsoleEscaper.scalar(rest) {
                text += scalar == "\n" || scalar == "\t" ? String(scalar) : ConsoleText.shown(scalar)
                index += length
            } else if !isLast && ConsoleEscaper.mayContinue(rest) {
                break
            } else {
                text += "\\x" + ConsoleEscaper.hexadecimal(rest.first ?? 0)
                index += 1
            }
        }
        pending.removeFirst(index)
        return text
    }

    /// The whole, valid UTF-8 character at the start, if there is one.
    private static func scalar(_ bytes: ArraySlice<UInt8>) -> (Unicode.Scalar, Int)? {
        guard let first = bytes.first, let length = length(first), bytes.count >= length else { return nil }
        var decoder = UTF8()
        var iterator = bytes.prefix(length).makeIterator()
        guard case .scalarValue(let scalar) = decoder.decode(&iterator), iterator.next() == nil else { return nil }
        return UTF8.width(scalar) == length ? (scalar, length) : nil
    }

    private static func mayContinue(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard let first = bytes.first, let length = length(first), bytes.count < length else { return false }
        return bytes.dropFirst().allSatisfy { $0 & 0xc0 == 0x80 }
    }

    private static func length(_ first: UInt8) -> Int? {
        switch first {
        case 0..<0x80: 1
        case 0xc2..<0xe0: 2
        case 0xe0..<0xf0: 3
        case 0xf0..<0xf5: 4
        default: nil
        }
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
}
