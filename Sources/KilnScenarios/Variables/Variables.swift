import KilnDocuments
import KilnModel

/// What stands for other values in a file: `${vars.NAME}`, and `${matrix.NAME}` for one combination of a matrix.
///
/// They are put in before anything is decoded, so that they may stand wherever a scalar may; places stay those of the file.
struct Variables {
    /// The values, by what stands in the braces, such as `vars.size`.
    private let values: [String: YAMLScalar]
    /// Where each is declared.
    private let places: [String: (position: Position, path: String)]
    private let problems: ProblemList

    /// The most bytes that a file comes to once all values are put in.
    static let largest = 4 << 20

    /// The variables of a file, with one combination of its matrix.
    init(_ declared: Declared, _ combination: [Name: YAMLScalar], _ problems: ProblemList) {
        let matrix = combination.map { ("matrix.\($0.key)", $0.value) }
        values = Dictionary(uniqueKeysWithValues: declared.vars.map { ("vars.\($0.key)", $0.value) } + matrix)
        places = declared.places
        self.problems = problems
    }

    /// The document with the values put in, but for the maps that declare them.
    func put(into root: YAMLNode) -> YAMLNode? {
        guard case .map(let entries) = root.content else { return root }
        var walk = Walk(values: values, problems: problems)
        let put = entries.map { entry -> YAMLNode.Entry in
            if ["vars", "matrix"].contains(entry.key) { return entry }
            return YAMLNode.Entry(
                key: entry.key,
                position: entry.position,
                value: walk.put(into: entry.value, Whereabouts(path: FieldPath.joined("", entry.key)))
            )
        }
        guard !walk.isTooLarge else {
            problems.add(
                root.position,
                "",
                "the file grows to more than \(Variables.largest >> 20) MiB by its variables"
            )
            return nil
        }
        for name in Set(values.keys).subtracting(walk.used).sorted() {
            guard let place = places[name] else { continue }
            problems.warn(place.position, place.path, "nothing uses this: '${\(name)}' stands nowhere in the file")
        }
        return YAMLNode(position: root.position, content: .map(put))
    }
}

extension Variables {
    /// One pass over a document.
    private struct Walk {
        let values: [String: YAMLScalar]
        let problems: ProblemList
        var used: Set<String> = []
        private var bytes = 0

        init(values: [String: YAMLScalar], problems: ProblemList) {
            self.values = values
            self.problems = problems
        }

        var isTooLarge: Bool { bytes > Variables.largest }

        mutating func put(into node: YAMLNode, _ place: Whereabouts) -> YAMLNode {
            if isTooLarge { return node }
            let content: YAMLNode.Content
            switch node.content {
            case .broken: return node
            case .scalar(let scalar):
                guard scalar.text.contains("${") else { return node }
                judgeMembers(scalar.text, node.position, place)
                content = .scalar(put(into: scalar, node.position, place))
            case .list(let elements):
                content = .list(elements.enumerated().map { put(into: $1, place.below($0)) })
            case .map(let entries):
                content = .map(
                    entries.map { entry in
                        YAMLNode.Entry(
                            key: entry.key,
                            position: entry.position,
                            value: put(into: entry.value, place.below(entry.key))
                        )
                    }
                )
            }
            return YAMLNode(position: node.position, content: content)
        }

        private func judgeMembers(_ text: String, _ position: Position, _ place: Whereabouts) {
            for match in text.matches(of: Variables.ofMember) {
                let name = Name.quoted("${\(match.1)}")
                if !place.isForOthers {
                    problems.warn(position, place.path, "\(name) is known in user-data only: it stays as it is written")
                } else if match.1 != MemberReference.index {
                    let hint = Suggestion.text(for: String(match.1), among: [MemberReference.index])
                    problems.warn(position, place.path, "nothing is called \(name)\(hint): it stays as it is written")
                }
            }
        }

        private mutating func put(
            into scalar: YAMLScalar,
            _ position: Position,
            _ place: Whereabouts
        ) -> YAMLScalar {
            // Where nothing else stands there it is the value itself, so that a number stays one.
            if let only = scalar.text.wholeMatch(of: Variables.expression) {
                let value = value(only.1, position, place)
                bytes += (value ?? scalar).text.utf8.count
                return value ?? scalar
            }
            var isBroken = false
            let text = scalar.text.replacing(Variables.expression) { match in
                guard !isBroken, !isTooLarge else { return String(match.0) }
                guard let value = value(match.1, position, place) else {
                    isBroken = !place.isForOthers
                    return String(match.0)
                }
                bytes += value.text.utf8.count
                return value.text
            }
            bytes += scalar.text.utf8.count
            return YAMLScalar(text: text, isPlain: scalar.isPlain)
        }

        private mutating func value(
            _ name: Substring,
            _ position: Position,
            _ place: Whereabouts
        ) -> YAMLScalar? {
            if let value = values[String(name)] {
                used.insert(String(name))
                return value
            }
            let known = values.keys.sorted()
            let unknown =
                "nothing is called \(Name.quoted("${\(name)}"))\(Suggestion.text(for: String(name), among: known))"
            if place.isForOthers {
                problems.warn(position, place.path, "\(unknown): it stays as it is written")
                return nil
            }
            let declared =
                known.isEmpty ? "the file declares none" : "declared: \(known.joined(separator: ", "))"
            problems.add(position, place.path, "\(unknown); \(declared)")
            return nil
        }
    }

    /// What is so of a member is put in when its seed is written, and nowhere else.
    private static var ofMember: Regex<(Substring, Substring)> { /\$\{(member\.[^}]*)\}/ }

    private static var expression: Regex<(Substring, Substring)> { /\$\{((?:vars|matrix)\.[^}]*)\}/ }
}

extension Variables {
    /// What a file declares.
    struct Declared {
        var vars: [Name: YAMLScalar] = [:]
        var matrix: [Name: [YAMLScalar]] = [:]
        var places: [String: (position: Position, path: String)] = [:]

        /// The most combinations of a matrix.
        static let most = 256

        /// Reads both maps; what is wrong with them is reported.
        init(_ root: Value) {
            guard let entries = root.mapEntries else { return }
            for (key, value) in entries where key == "vars" { vars = named(value, "vars") { Declared.scalar($0) } }
            for (key, value) in entries where key == "matrix" {
                matrix = named(value, "matrix") { value in
                    guard let elements = value.list(of: "values") else { return nil }
                    let scalars = elements.map { Declared.scalar($0) }
                    return scalars.contains(nil) ? nil : scalars.compactMap { $0 }
                }
                if matrix.isEmpty, value.mapEntries?.isEmpty == true { value.mismatch("at least one name") }
                refuseTooMany(value)
            }
        }

        private mutating func named<Element>(_ value: Value, _ kind: String, _ read: (Value) -> Element?) -> [Name:
            Element]
        {
            for (key, value) in value.mapEntries ?? [] { places["\(kind).\(key)"] = (value.node.position, value.path) }
            return value.named("names and values", read) ?? [:]
        }

        private mutating func refuseTooMany(_ value: Value) {
            var count = 1
            for values in matrix.values { count = min(count * values.count, Declared.most + 1) }
            guard count > Declared.most else { return }
            let sizes = matrix.sorted { $0.key < $1.key }.map { "\($0.key) has \($0.value.count)" }.joined(
                separator: ", "
            )
            value.problem("expected at most \(Declared.most) combinations, found more: \(sizes)")
            matrix = [:]
        }

        /// Every combination, the values of the first name changing last; one that is empty where there is no matrix.
        var combinations: [[Name: YAMLScalar]] {
            matrix.sorted { $0.key < $1.key }.reduce([[:]]) { all, entry in
                all.flatMap { one in entry.value.map { one.merging([entry.key: $0]) { $1 } } }
            }
        }

        private static func scalar(_ value: Value) -> YAMLScalar? {
            guard case .scalar(let scalar) = value.node.content else {
                value.mismatch("a text, a number, true or false")
                return nil
            }
            guard !scalar.text.contains("${vars."), !scalar.text.contains("${matrix.") else {
                value.problem("a variable can't stand for another one; write the value itself")
                return nil
            }
            return scalar
        }
    }
}

extension Value {
    /// The entries where this is a map.
    fileprivate var mapEntries: [(key: String, value: Value)]? {
        guard case .map(let entries) = node.content else { return nil }
        return entries.map { ($0.key, Value(node: $0.value, path: FieldPath.joined(path, $0.key), problems: problems)) }
    }
}
