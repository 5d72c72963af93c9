import KilnDocuments
import KilnModel

/// Reads user-data, and refuses what would erase a volume or name what is not there.
enum UserDataDecoder {
    /// User-data as JSON, and every text in it with its place.
    struct UserData {
        let json: JSONValue
        let texts: [Value]
    }

    /// A map, or text that starts with `#cloud-config` and parses as one.
    static func decode(_ value: Value) -> UserData? {
        let expected = "a map, or a text that starts with '#cloud-config'"
        switch value.node.content {
        case .map:
            return check(value)
        case .scalar(let scalar) where scalar.meaning == .text:
            let firstLine = scalar.text.prefix { $0 != "\n" }
            guard firstLine.trimming(" \r") == "#cloud-config" else {
                value.mismatch(expected)
                return nil
            }
            return nested(scalar.text, value).flatMap(check)
        default:
            value.mismatch(expected)
            return nil
        }
    }

    /// The map that a cloud-config text holds; its parts are placed where the text starts.
    private static func nested(_ text: String, _ value: Value) -> Value? {
        let inner = ProblemList(file: value.problems.file)
        let root = YAMLDocument.root(of: text, inner)
        for problem in inner.sorted {
            let path = problem.path.isEmpty ? "" : "\(problem.path): "
            value.problem("line \(problem.position.line) of the text: \(path)\(problem.message)")
        }
        guard let root, inner.isEmpty else { return nil }
        guard case .map = root.content else {
            value.problem("expected a map after '#cloud-config', found \(root.found)")
            return nil
        }
        return Value(node: root.moved(to: value.node.position), path: value.path, problems: value.problems)
    }

    /// The modules of user-data that ``decode(_:)`` reads, without a word about what is wrong.
    static func map(_ value: Value) -> [(key: String, value: Value)]? {
        let silent = ProblemList(file: value.problems.file)
        var value = value
        if case .scalar(let scalar) = value.node.content {
            guard let root = YAMLDocument.root(of: scalar.text, silent) else { return nil }
            value = Value(node: root.moved(to: value.node.position), path: value.path, problems: value.problems)
        }
        guard case .map(let entries) = value.node.content else { return nil }
        return entries.map { entry in
            let path = FieldPath.joined(value.path, entry.key)
            return (entry.key, Value(node: entry.value, path: path, problems: value.problems))
        }
    }

    private static func check(_ value: Value) -> UserData? {
        guard case .map(let entries) = value.node.content else { return nil }
        if entries.isEmpty { value.problem("expected at least one cloud-config module, found an empty map") }
        for entry in entries {
            let part = Value(node: entry.value, path: FieldPath.joined(value.path, entry.key), problems: value.problems)
            guard ["fs_setup", "disk_setup"].contains(entry.key) else { continue }
            part.placed(at: entry.position).problem(
                "not allowed: cloud-init runs it again for every generation, which erases a persistent volume; "
                    + "volumes are formatted once, by the host, when they are created"
            )
        }
        UserDataGuard.check(map(value) ?? [])
        return UserData(json: value.node.json, texts: value.texts)
    }

    /// Checks what `${servers.NAME.ports.NAME}` names in a text of the user-data of `server`.
    static func checkReferences(
        _ value: Value,
        from server: Name,
        _ network: ServerSpec.Network,
        _ lab: DecodedLab
    ) {
        for expression in value.plainText.map(PortReference.expressions) ?? [] {
            guard let reference = PortReference(expression: expression) else {
                if isNearMiss(expression) {
                    value.warning(
                        "\(Name.quoted("${\(expression)}")) stays as it is written; "
                            + "only ${servers.NAME.ports.NAME} becomes a port"
                    )
                }
                continue
            }
            let names = lab.servers.map(\.name)
            guard value.reference("server", text: reference.server.text, among: names) != nil,
                let target = lab.server(reference.server),
                value.reference("port of '\(target.name)'", text: reference.port.text, among: target.ports) != nil
            else { continue }
            if network == .isolated {
                value.problem("'\(server)' is isolated and can't reach '\(target.name)'; say 'network: open'")
            }
        }
    }

    // Files of other programs have such expressions too, as '${server.port}' of Spring: it takes more than the first word.
    private static func isNearMiss(_ expression: String) -> Bool {
        let parts = expression.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        if parts[0] == "servers" { return true }
        return parts.count == 4 && Suggestion.nearest(to: parts[0], among: ["servers"]) != nil
    }
}

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

extension Substring {
    /// Without the given characters at the end.
    fileprivate func trimming(_ characters: String) -> Substring {
        var text = self
        while let last = text.last, characters.contains(last) { text.removeLast() }
        return text
    }
}
