import KilnModel
import Yams

extension RecipeReader {
    mutating func report(_ node: Node, _ message: String) {
        problems.append(
            RecipeProblem(file: file, line: node.mark?.line ?? 1, column: node.mark?.column ?? 1, message: message)
        )
    }

    /// A mapping whose keys are all among `keys`, if these are given.
    mutating func mapping(_ node: Node, _ what: String, keys: [String]?) -> Node.Mapping? {
        guard let map = node.mapping else {
            report(node, "expected \(what) as a mapping")
            return nil
        }
        for (key, _) in map {
            guard let keys, let text = key.scalar?.string, !keys.contains(text) else { continue }
            let guess = keys.min { Similarity.distance($0, text) < Similarity.distance($1, text) }
            let near = guess.flatMap { Similarity.distance($0, text) <= 2 ? "; did you mean '\($0)'?" : nil }
            report(key, "\(Name.quoted(text)) is not a key of \(what)\(near ?? "")")
        }
        return map
    }

    mutating func required<Value>(
        _ key: String,
        in map: Node.Mapping,
        of parent: Node,
        _ read: (inout RecipeReader, Node) -> Value?
    ) -> Value? {
        guard let node = map[key] else {
            report(parent, "'\(key)' is missing")
            return nil
        }
        return read(&self, node)
    }

    mutating func value<Value>(_ node: Node, _ expected: String, _ convert: (String) -> Value?) -> Value? {
        guard let text = node.scalar?.string else {
            report(node, "expected \(expected)")
            return nil
        }
        guard let value = convert(text) else {
            report(node, "expected \(expected), found \(Name.quoted(text))")
            return nil
        }
        return value
    }

    mutating func list<Value>(_ node: Node, _ expected: String, _ convert: (String) -> Value?) -> [Value] {
        guard let sequence = node.sequence else {
            report(node, "expected a list")
            return []
        }
        var values: [Value] = []
        for element in sequence {
            if let value = value(element, expected, convert) { values.append(value) }
        }
        return values
    }

    mutating func size(_ node: Node) -> ByteCount? { value(node, "a size such as 256MiB") { ByteCount($0) } }
}
