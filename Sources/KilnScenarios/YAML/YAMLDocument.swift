import KilnModel
import Yams

/// Reads text that nobody vouches for into a tree, or lists what is wrong.
///
/// Yams composes aliases and reports duplicate keys one at a time and without the second place. Both are dealt with by
/// writing a stand-in, one Unicode scalar for one, into a copy of the text before Yams sees it: positions stay true.
struct YAMLDocument {
    /// The largest accepted text, in bytes.
    static let largest = 1 << 20
    /// The deepest accepted nesting.
    static let deepest = 64
    /// After so many duplicate keys the file is not worth more reading.
    private static let mostDuplicates = 50

    private let problems: ProblemList
    /// What stands for `*`. A plain scalar can't start with `*`, so one that starts with this was an alias.
    private let asterisk: Unicode.Scalar
    /// What stands for the first character of a key that is written twice.
    private let duplicate: Unicode.Scalar
    private var scalars: [Unicode.Scalar]
    /// The replaced characters by their place in `scalars`.
    private var replaced: [Position: Unicode.Scalar] = [:]

    /// The root of the document, or nothing where problems were added.
    static func root(of text: String, _ problems: ProblemList) -> YAMLNode? {
        let start = Position(line: 1, column: 1)
        guard text.utf8.count <= largest else {
            problems.add(start, "", "expected at most 1 MiB, found \(text.utf8.count) bytes")
            return nil
        }
        guard var document = YAMLDocument(text, problems) else {
            problems.add(start, "", "expected text without private-use characters (U+E000 to U+F8FF)")
            return nil
        }
        return document.compose()
    }

    private init?(_ text: String, _ problems: ProblemList) {
        let present = Set(text.unicodeScalars)
        let free = (UInt32(0xe000)...0xf8ff).lazy.compactMap(Unicode.Scalar.init).filter { !present.contains($0) }
            .prefix(2)
        guard let asterisk = free.first, let duplicate = free.dropFirst().first else { return nil }
        self.problems = problems
        self.asterisk = asterisk
        self.duplicate = duplicate
        scalars = text.unicodeScalars.map { $0 == "*" ? asterisk : $0 }
    }

    private mutating func compose() -> YAMLNode? {
        for _ in 0...YAMLDocument.mostDuplicates {
            var copy = String.UnicodeScalarView()
            copy.append(contentsOf: scalars)
            do {
                let parser = try Parser(yaml: String(copy), encoding: .utf8)
                guard let node = try parser.singleRoot() else {
                    problems.add(Position(line: 1, column: 1), "", "expected a document, found an empty file")
                    return nil
                }
                // The parser owns the anchors; nodes only refer to them weakly.
                return withExtendedLifetime(parser) { convert(node, "", depth: 1) }
            } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
                let position = Position(context.mark)
                guard mark(duplicateAt: position) else {
                    let names = keys.map { Name.quoted(restore($0)) }.joined(separator: ", ")
                    problems.add(position, "", "the key \(names) is written twice")
                    return nil
                }
            } catch {
                add(error)
                return nil
            }
        }
        problems.add(
            Position(line: 1, column: 1),
            "",
            "more than \(YAMLDocument.mostDuplicates) keys are written twice"
        )
        return nil
    }
}

extension YAMLDocument {
    /// Makes the key at `position` differ from its double; nothing where the key has no character to change.
    private mutating func mark(duplicateAt position: Position) -> Bool {
        guard replaced[position] == nil, var index = index(of: position) else { return false }
        if scalars[index] == "\"" || scalars[index] == "'" { index += 1 }
        guard index < scalars.count, !"\"'\\\n[{?".unicodeScalars.contains(scalars[index]) else { return false }
        replaced[position] = scalars[index]
        scalars[index] = duplicate
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

    private func restore(_ text: String) -> String {
        text.replacing(String(asterisk), with: "*")
    }

    /// The text of a key, with the character that a stand-in took.
    private func restoreKey(_ text: String, at position: Position) -> String {
        guard let original = replaced[position], text.unicodeScalars.first == duplicate else { return restore(text) }
        return restore(String(original) + String(text.unicodeScalars.dropFirst()))
    }
}

extension YAMLDocument {
    private func convert(_ node: Node, _ path: String, depth: Int) -> YAMLNode {
        let position = Position(node.mark)
        guard depth <= YAMLDocument.deepest else {
            problems.add(position, path, "expected at most \(YAMLDocument.deepest) levels of nesting")
            return YAMLNode(position: position, content: .broken)
        }
        guard accept(node, path, position) else { return YAMLNode(position: position, content: .broken) }
        let content: YAMLNode.Content =
            switch node {
            case .scalar(let scalar): convert(scalar, path, position).map { .scalar($0) } ?? .broken
            case .sequence(let sequence):
                .list(sequence.enumerated().map { convert($1, "\(path)[\($0)]", depth: depth + 1) })
            case .mapping(let mapping): .map(convert(mapping, path, depth: depth))
            case .alias: .broken
            }
        return YAMLNode(position: position, content: content)
    }

    private func accept(_ node: Node, _ path: String, _ position: Position) -> Bool {
        if node.anchor != nil {
            problems.add(position, path, "anchors (&) and aliases (*) are not supported: write the value out")
            return false
        }
        let tag =
            switch node {
            case .scalar(let scalar): scalar.tag.description
            case .sequence(let sequence): sequence.tag.description
            case .mapping(let mapping): mapping.tag.description
            case .alias: ""
            }
        guard tag.isEmpty || tag == "!" else {
            problems.add(position, path, "tags (!) are not supported, found \(Name.quoted(tag))")
            return false
        }
        return true
    }

    private func convert(_ scalar: Node.Scalar, _ path: String, _ position: Position) -> YAMLScalar? {
        if scalar.style == .plain, scalar.string.unicodeScalars.first == asterisk {
            problems.add(position, path, "anchors (&) and aliases (*) are not supported: write the value out")
            return nil
        }
        guard !scalar.string.unicodeScalars.contains("\0") else {
            problems.add(position, path, "expected text without NUL characters")
            return nil
        }
        return YAMLScalar(text: restore(scalar.string), isPlain: scalar.style == .plain)
    }

    private func convert(_ mapping: Node.Mapping, _ path: String, depth: Int) -> [YAMLNode.Entry] {
        var first: [String: Position] = [:]
        return mapping.sorted { Position($0.key.mark) < Position($1.key.mark) }.compactMap { key, value in
            let position = Position(key.mark)
            guard case .scalar(let scalar) = key, accept(key, path, position),
                let text = convert(scalar, path, position)?.text
            else {
                problems.add(position, path, "expected keys that are plain text")
                return nil
            }
            let name = restoreKey(text, at: position)
            let inner = FieldPath.joined(path, name)
            if let earlier = first[name] {
                let place = "\(earlier.line):\(earlier.column)"
                problems.add(position, inner, "the key is written twice, the first time at \(place)")
                return nil
            }
            first[name] = position
            return YAMLNode.Entry(key: name, position: position, value: convert(value, inner, depth: depth + 1))
        }
    }

    private func add(_ error: any Error) {
        switch error {
        case YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _),
            YamlError.composer(_, let problem, let mark, _):
            problems.add(Position(mark), "", "not YAML: \(restore(problem))")
        case YamlError.reader(let problem, _, _, _):
            problems.add(Position(line: 1, column: 1), "", "not YAML: \(problem)")
        default:
            problems.add(Position(line: 1, column: 1), "", "not YAML")
        }
    }
}

extension Position {
    fileprivate init(_ mark: Mark?) {
        self.init(line: mark?.line ?? 1, column: mark?.column ?? 1)
    }
}
