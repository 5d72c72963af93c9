import KilnModel
import Yams

/// Reads text that nobody vouches for into a tree, or lists what is wrong.
///
/// Yams composes aliases, and of keys that are written twice it reports one, at its first place. Both are dealt with by
/// writing stand-ins, one Unicode scalar for one, into a copy of the text before Yams sees it: positions stay true.
package struct YAMLDocument {
    /// The largest accepted text, in bytes.
    static let largest = 1 << 20
    /// The deepest accepted nesting.
    static let deepest = 64
    /// After so many keys that are written twice the file is not worth more reading.
    private static let mostDuplicates = 50
    /// The tag of plain scalars that have none.
    ///
    /// No file can write it; Yams stores what it resolves in the node, where it
    /// could not be told from a written tag otherwise.
    static let untagged = Tag.Name(rawValue: "\u{0}untagged")

    let problems: ProblemList
    /// What stands for `*`.
    ///
    /// A plain scalar can't start with `*`, so one that starts with this was an alias.
    let asterisk: Unicode.Scalar
    /// What can stand for the first character of a key that is written twice, one for each such key.
    private var free: [Unicode.Scalar]
    private var scalars: [Unicode.Scalar]
    /// What stands for `*`, and for what YAML 1.1 takes for a break of lines that no editor does.
    private let originals: [Unicode.Scalar: Unicode.Scalar]
    private var replaced: [Position: (original: Unicode.Scalar, standIn: Unicode.Scalar)] = [:]

    /// The root of the document, or nothing where it is not YAML; what can't be used of it is reported and `broken`.
    package static func root(of text: String, _ problems: ProblemList) -> YAMLNode? {
        let start = Position(line: 1, column: 1)
        guard text.utf8.count <= largest else {
            problems.add(start, "", "expected at most 1 MiB, found \(text.utf8.count) bytes")
            return nil
        }
        if let place = firstControl(in: text) {
            problems.add(place, "", "not YAML: a control character, which can stand in double quotes as \"\\x07\"")
            return nil
        }
        guard var document = YAMLDocument(text, problems) else {
            problems.add(start, "", "expected text without private-use characters (U+E000 to U+F8FF)")
            return nil
        }
        return document.compose()
    }

    // https://yaml.org/spec/1.1/#c-printable
    private static func firstControl(in text: String) -> Position? {
        var (line, column) = (1, 1)
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x0a: (line, column) = (line + 1, 0)
            case 0x00...0x08, 0x0b, 0x0c, 0x0e...0x1f, 0x7f...0x84, 0x86...0x9f, 0xfffe, 0xffff:
                return Position(line: line, column: column)
            default: break
            }
            column += 1
        }
        return nil
    }

    private init?(_ text: String, _ problems: ProblemList) {
        let present = Set(text.unicodeScalars)
        let privateUse = (UInt32(0xe000)...0xf8ff).lazy.compactMap { Unicode.Scalar($0) }
        free = Array(privateUse.filter { !present.contains($0) }.prefix(YAMLDocument.mostDuplicates + 1))
        guard let asterisk = free.popLast() else { return nil }
        var standIns: [Unicode.Scalar: Unicode.Scalar] = ["*": asterisk]
        for original in ["\u{85}", "\u{2028}", "\u{2029}"] as [Unicode.Scalar] where present.contains(original) {
            guard let standIn = free.popLast() else { return nil }
            standIns[original] = standIn
        }
        self.problems = problems
        self.asterisk = asterisk
        originals = Dictionary(uniqueKeysWithValues: standIns.map { ($1, $0) })
        scalars = text.unicodeScalars.map { standIns[$0] ?? $0 }
    }

    private mutating func compose() -> YAMLNode? {
        while true {
            var copy = String.UnicodeScalarView()
            copy.append(contentsOf: scalars)
            do {
                let resolver = try Resolver.basic.appending(YAMLDocument.untagged, "^")
                let parser = try Parser(yaml: String(copy), resolver: resolver, encoding: .utf8)
                guard let node = try parser.singleRoot() else {
                    problems.add(Position(line: 1, column: 1), "", "expected a document, found an empty file")
                    return nil
                }
                // The parser owns the anchors; nodes only refer to them weakly.
                return withExtendedLifetime(parser) { convert(node, "", depth: 1) }
            } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
                let position = Position(context.mark)
                guard replace(keyAt: position) else {
                    let names = keys.map { Name.quoted(restore($0)) }.joined(separator: ", ")
                    problems.add(position, "", "the key \(names) is written twice")
                    return nil
                }
            } catch {
                add(error)
                return nil
            }
        }
    }
}

extension YAMLDocument {
    /// Makes the key at `position` differ from its double; `false` where it has no character to change.
    private mutating func replace(keyAt position: Position) -> Bool {
        guard replaced[position] == nil, var index = index(of: position) else { return false }
        if scalars[index] == "\"" || scalars[index] == "'" { index += 1 }
        guard index < scalars.count, !"\"'\\\n[{?".unicodeScalars.contains(scalars[index]), let standIn = free.popLast()
        else { return false }
        replaced[position] = (scalars[index], standIn)
        scalars[index] = standIn
        return true
    }

    private func index(of position: Position) -> Int? {
        var line = 1
        var start = 0
        while line < position.line {
            guard let end = scalars[start...].firstIndex(where: { $0 == "\n" }) else { return nil }
            start = end + 1
            line += 1
        }
        let index = start + position.column - 1
        return index < scalars.count ? index : nil
    }

    /// The text as written.
    func restore(_ text: String) -> String {
        var restored = String.UnicodeScalarView()
        restored.append(contentsOf: text.unicodeScalars.map { originals[$0] ?? $0 })
        return String(restored)
    }

    /// The text of a key as written, with the character that a stand-in took.
    func restore(key text: String, at position: Position) -> String {
        guard let (original, standIn) = replaced[position], text.unicodeScalars.first == standIn else {
            return restore(text)
        }
        var scalars = text.unicodeScalars
        scalars.removeFirst()
        return restore(String(original) + String(scalars))
    }
}
