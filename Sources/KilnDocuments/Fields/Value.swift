import KilnModel

/// A part of a file on its way into the model: it knows its place, its path, and whom to tell what is wrong.
///
/// Every reading method returns nothing after it has reported why; so a decoder reads all fields before it gives up.
package struct Value {
    package let node: YAMLNode
    package let path: String
    package let problems: ProblemList

    package init(node: YAMLNode, path: String, problems: ProblemList) {
        self.node = node
        self.path = path
        self.problems = problems
    }

    /// Reports `message` for this place.
    package func problem(_ message: String) {
        problems.add(node.position, path, message)
    }

    /// Reports what may be wrong here.
    package func warning(_ message: String) {
        problems.warn(node.position, path, message)
    }

    /// Reports that something else was expected; a part that is already reported stays silent.
    package func mismatch(_ expected: String) {
        if case .broken = node.content { return }
        problem("expected \(expected), found \(node.found)")
    }

    /// The elements, with `path[index]`; nothing where it is no list, or has too few.
    package func list(of expected: String, atLeast least: Int = 1) -> [Value]? {
        guard case .list(let elements) = node.content, elements.count >= least else {
            mismatch("a list of \(expected)")
            return nil
        }
        return elements.enumerated().map { Value(node: $1, path: "\(path)[\($0)]", problems: problems) }
    }

    /// The elements of a list, or this value alone where it is none.
    package func oneOrMore(of expected: String) -> [Value] {
        guard case .list = node.content else { return [self] }
        return list(of: expected) ?? []
    }

    /// The entries of a map whose keys the user chooses.
    package func entries(of expected: String) -> [(key: YAMLNode.Entry, value: Value)]? {
        guard case .map(let entries) = node.content else {
            mismatch("a map of \(expected)")
            return nil
        }
        return entries.map { entry in
            (entry, Value(node: entry.value, path: FieldPath.joined(path, entry.key), problems: problems))
        }
    }

    /// The map with each key read as a ``Name``.
    package func named<Element>(_ expected: String, _ read: (Value) -> Element?) -> [Name: Element]? {
        guard let entries = entries(of: expected) else { return nil }
        var result: [Name: Element] = [:]
        for (entry, value) in entries {
            let element = read(value)
            if let name = value.key(entry) { result[name] = element }
        }
        return result
    }

    /// The key of this value as a name.
    package func key(_ entry: YAMLNode.Entry) -> Name? {
        if let name = try? Name(entry.key) { return name }
        placed(at: entry.position).problem("expected a name (\(Value.nameRule)), found \(Name.quoted(entry.key))")
        return nil
    }

    /// The same value, whose problems are reported at another place, such as its key.
    package func placed(at position: Position) -> Value {
        Value(node: YAMLNode(position: position, content: node.content), path: path, problems: problems)
    }

    /// The keys of a map that are names, without a word about the others.
    package static func names(of value: Value?) -> [Name] {
        guard case .map(let entries) = value?.node.content else { return [] }
        return entries.compactMap { try? Name($0.key) }
    }

    package static let nameRule = "1 to \(Name.longest) characters from a-z, 0-9 and '-', starting with a letter"
}
