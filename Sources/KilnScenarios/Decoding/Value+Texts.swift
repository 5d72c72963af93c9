import KilnDocuments
import KilnModel

extension Value {
    /// The elements of a list; nothing else has any.
    var elements: [Value] {
        guard case .list(let nodes) = node.content else { return [] }
        return nodes.enumerated().map { Value(node: $1, path: "\(path)[\($0)]", problems: problems) }
    }

    /// The scalars in it, at any depth; keys are no scalars.
    var texts: [Value] {
        switch node.content {
        case .scalar: [self]
        case .list: elements.flatMap(\.texts)
        case .map(let entries):
            entries.flatMap {
                Value(node: $0.value, path: FieldPath.joined(path, $0.key), problems: problems).texts
            }
        case .broken: []
        }
    }

    /// The scalar as it is written.
    var plainText: String? {
        guard case .scalar(let scalar) = node.content else { return nil }
        return scalar.text
    }

    /// A file that is nothing but text.
    static func text(_ text: String, in problems: ProblemList) -> Value {
        let scalar = YAMLScalar(text: text, isPlain: false)
        return Value(
            node: YAMLNode(position: Position(line: 1, column: 1), content: .scalar(scalar)),
            path: "",
            problems: problems
        )
    }

    /// The same place, with what a text there holds.
    func holding(_ node: YAMLNode) -> Value {
        Value(node: node.moved(to: self.node.position), path: path, problems: problems)
    }

    /// The path of a file that is named relative to this one.
    func neighbour(_ expected: String) -> String? {
        guard let name = text(expected) else { return nil }
        guard !name.hasPrefix("/") else {
            problem("expected a path relative to this file, found the absolute path \(Name.quoted(name))")
            return nil
        }
        return (problems.file.lastIndex(of: "/").map { String(problems.file[...$0]) } ?? "") + name
    }
}

extension YAMLNode {
    /// The same content with all of it at one place.
    fileprivate func moved(to position: Position) -> YAMLNode {
        let content: Content =
            switch content {
            case .scalar, .broken: content
            case .list(let elements): .list(elements.map { $0.moved(to: position) })
            case .map(let entries):
                .map(entries.map { Entry(key: $0.key, position: position, value: $0.value.moved(to: position)) })
            }
        return YAMLNode(position: position, content: content)
    }
}
