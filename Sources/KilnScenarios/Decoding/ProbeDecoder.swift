import KilnModel

/// Reads probes and what is like them.
enum ProbeDecoder {
    /// The `ready` list of a server that publishes `ports`.
    static func list(_ value: Value, ports: [Name]) -> [Probe] {
        (value.list(of: "probes") ?? []).compactMap { probe($0, ports: ports) }
    }

    private static func probe(_ value: Value, ports: [Name]) -> Probe? {
        let words = ProbeWord.allCases.map(\.rawValue) + ProbeFields.allCases.map(\.rawValue)
        if case .scalar(let scalar) = value.node.content {
            switch ProbeWord(rawValue: scalar.text) {
            case .agent: return .agent
            case .cloudInit: return .cloudInit()
            case nil:
                value.mismatch(
                    "a probe: agent, cloud-init, or a map of one of http, tcp, exec, cloud-init"
                        + Suggestion.text(for: scalar.text, among: words)
                )
                return nil
            }
        }
        guard let (kind, value) = value.oneField(of: ProbeFields.self, "probe") else { return nil }
        switch kind {
        case .http:
            return http(value, ports: ports).map {
                .http(port: $0.port, path: $0.path, status: $0.status, contains: $0.contains)
            }
        case .tcp: return tcp(value, ports: ports)
        case .exec: return command(value).map { .exec($0) }
        case .cloudInit:
            return Fields<CloudInitFields>(value, "a map with 'allow-degraded'")?[.allowDegraded]?.bool()
                .map { .cloudInit(allowDegraded: $0) }
        }
    }

    /// The fields of an HTTP request to one of `ports`.
    static func http(_ value: Value, ports: [Name]) -> Step.Expectation.HTTP? {
        guard let fields = Fields<HTTPFields>(value, "a map with 'port' and 'path'") else { return nil }
        let port = fields[.port]?.reference("port of this server", among: ports)
        let path = fields[.path]?.urlPath()
        let status = fields[.status].map { $0.whole(in: 100...599) } ?? 200
        let contains = fields[.contains]?.text()
        guard let port, let path, let status else { return nil }
        return Step.Expectation.HTTP(port: port, path: path, status: status, contains: contains)
    }

    private static func tcp(_ value: Value, ports: [Name]) -> Probe? {
        guard let fields = Fields<TCPFields>(value, "a map with 'port' and 'expect'") else { return nil }
        let port = fields[.port]?.reference("port of this server", among: ports)
        let send = fields[.send]?.text()
        let expect = fields[.expect]?.text()
        guard let port, let expect else { return nil }
        return .tcp(port: port, send: send, expect: expect)
    }

    /// Program and arguments; a text is a command line for `/bin/sh -c`.
    static func command(_ value: Value) -> [String]? {
        guard case .list = value.node.content else {
            return value.text("a command: a list, or a text for /bin/sh -c").map { ["/bin/sh", "-c", $0] }
        }
        guard let elements = value.list(of: "program and arguments") else { return nil }
        let texts = elements.enumerated().map { index, element in
            index > 0 && element.isEmptyText ? "" : element.text()
        }
        return texts.contains(nil) ? nil : texts.compactMap { $0 }
    }
}

extension Value {
    /// The one field of a map that has exactly one.
    func oneField<Field: FileField>(of _: Field.Type, _ kind: String) -> (Field, Value)? {
        let names = Field.allCases.map(\.rawValue).joined(separator: ", ")
        guard let fields = Fields<Field>(self, "a \(kind): a map of one of \(names)") else { return nil }
        guard case .map(let entries) = node.content, entries.count == 1 else {
            mismatch("one \(kind) per element of the list: a map of one of \(names)")
            return nil
        }
        return Field.allCases.first { fields[$0] != nil }.flatMap { field in fields[field].map { (field, $0) } }
    }

    /// A path in a URL.
    fileprivate func urlPath() -> String? {
        guard let text = text("a path that starts with '/'") else { return nil }
        guard text.hasPrefix("/"), text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }), text.utf8.count <= 1024 else {
            mismatch("a path that starts with '/' and has no blanks")
            return nil
        }
        return text
    }

    fileprivate var isEmptyText: Bool {
        guard case .scalar(let scalar) = node.content else { return false }
        return scalar.text.isEmpty && scalar.meaning == .text
    }
}
