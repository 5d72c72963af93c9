import KilnModel
import Yams

extension YAMLDocument {
    func convert(_ node: Node, _ path: String, depth: Int) -> YAMLNode {
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
        let written = writtenTag(node)
        guard written == nil else {
            problems.add(position, path, "tags (!) are not supported, found \(Name.quoted(written ?? ""))")
            return false
        }
        return true
    }

    private func writtenTag(_ node: Node) -> String? {
        let tag: String
        var implied: Set = ["", "!", YAMLDocument.untagged.rawValue]
        switch node {
        case .scalar(let scalar):
            tag = scalar.tag.description
            // What Yams resolves a quoted key to.
            if scalar.style != .plain { implied.insert(Tag.Name.str.rawValue) }
        case .sequence(let sequence): tag = sequence.tag.description
        case .mapping(let mapping): tag = mapping.tag.description
        case .alias: return nil
        }
        return implied.contains(tag) ? nil : tag
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
            let name = restore(key: text, at: position)
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

    func add(_ error: any Error) {
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
    init(_ mark: Mark?) {
        self.init(line: mark?.line ?? 1, column: mark?.column ?? 1)
    }
}
