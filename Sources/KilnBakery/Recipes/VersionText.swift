/// A text of a recipe in which `${NAME}` stands for a variable of the version, and `${KILN_VERSION}` for its name.
enum VersionText {
    /// Whether a text is one variable and nothing else.
    static func isVariable(_ text: String) -> Bool {
        guard text.hasPrefix("${"), text.hasSuffix("}") else { return false }
        let name = text.dropFirst(2).dropLast()
        guard let first = name.utf8.first, (0x41...0x5a).contains(first) else { return false }
        return name.utf8.allSatisfy { (0x41...0x5a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5f }
    }

    /// A `${NAME}` for which nothing stands.
    struct UnknownVariable: Error, Hashable {
        let name: String
    }

    /// The text with the variables of a version in it.
    ///
    /// What stands for a variable is not looked through again.
    static func text(_ text: String, for version: Recipe.Version) throws(UnknownVariable) -> String {
        var rest = text[...]
        var result = ""
        while let open = rest.firstRange(of: "${") {
            result += rest[..<open.lowerBound]
            rest = rest[open.upperBound...]
            guard let close = rest.firstIndex(of: "}") else { throw UnknownVariable(name: String(rest)) }
            let name = String(rest[..<close])
            guard let value = name == "KILN_VERSION" ? version.name : version.variables[name] else {
                throw UnknownVariable(name: name)
            }
            result += value
            rest = rest[rest.index(after: close)...]
        }
        return result + rest
    }
}
