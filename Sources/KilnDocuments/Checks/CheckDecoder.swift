import KilnDocuments
import KilnModel

/// Reads probes and what is like them.
enum ProbeDecoder {
    /// A list of probes of a server that publishes `ports`.
    static func list(_ value: Value, ports: [Name]) -> [Check] {
        (value.list(of: "probes") ?? []).compactMap { check($0, ports: ports) }
    }

    private static func check(_ value: Value, ports: [Name]) -> Check? {
        if case .scalar(let scalar) = value.node.content { return word(scalar, value) }
        guard let (kind, value) = value.oneField(of: ProbeFields.self, "probe") else { return nil }
        switch kind {
        case .http:
            guard let fields = Fields<CheckedFields<HTTPFields>>(value, "a map with 'port' and 'path'") else {
                return nil
            }
            return check(HTTPDecoder.probe({ fields[.probe($0)] }, ports: ports).map { .http($0) }, fields)
        case .tcp: return tcp(value, ports: ports)
        case .exec: return exec(value)
        case .agent:
            return Fields<CheckFields>(value, "a map with settings").flatMap { fields in check(.agent) { fields[$0] } }
        case .cloudInit: return cloudInit(value)
        }
    }

    private static func word(_ scalar: YAMLScalar, _ value: Value) -> Check? {
        switch ProbeWord(rawValue: scalar.text) {
        case .agent: return Check(.agent)
        case .cloudInit: return Check(.cloudInit())
        case nil:
            let words = ProbeWord.allCases.map(\.rawValue) + ProbeFields.allCases.map(\.rawValue)
            value.mismatch(
                "a probe: agent, cloud-init, or a map of one of http, tcp, exec, agent, cloud-init"
                    + Suggestion.text(for: scalar.text, among: words)
            )
            return nil
        }
    }

    private static func tcp(_ value: Value, ports: [Name]) -> Check? {
        guard let fields = Fields<CheckedFields<TCPFields>>(value, "a map with 'port' and 'expect'") else { return nil }
        let port = fields[.probe(.port)]?.reference("port of this server", among: ports)
        let send = fields[.probe(.send)]?.text()
        let expect = fields[.probe(.expect)]?.text()
        var probe: Probe?
        if let port, let expect { probe = .tcp(port: port, send: send, expect: expect) }
        return check(probe, fields)
    }

    private static func exec(_ value: Value) -> Check? {
        guard case .map = value.node.content else { return command(value).map { Check(.exec($0)) } }
        guard let fields = Fields<CheckedFields<RunFields>>(value, "a command, or a map with 'run'") else { return nil }
        return check(fields[.probe(.run)].flatMap(command).map { .exec($0) }, fields)
    }

    private static func cloudInit(_ value: Value) -> Check? {
        guard let fields = Fields<CheckedFields<CloudInitFields>>(value, "a map with settings") else { return nil }
        let allowDegraded = fields[.probe(.allowDegraded)].map { $0.bool() } ?? false
        return check(allowDegraded.map { .cloudInit(allowDegraded: $0) }, fields)
    }

    private static func check<Field>(_ probe: Probe?, _ fields: Fields<CheckedFields<Field>>) -> Check? {
        check(probe) { fields[.check($0)] }
    }

    // All is read before anything is given up, so that all problems are reported.
    private static func check(_ probe: Probe?, _ field: (CheckFields) -> Value?) -> Check? {
        let every = field(.every)?.duration()
        let timeout = field(.timeout).map { $0.duration() } ?? Check.usualTimeout
        let successes = field(.successes).map { $0.whole(in: 1...100) } ?? 1
        let failures = field(.failures).map { $0.whole(in: 1...100) } ?? 3
        let hint = field(.hint)?.text()
        guard let probe, let timeout, let successes, let failures else { return nil }
        return Check(probe, every: every, timeout: timeout, successes: successes, failures: failures, hint: hint)
    }
}

extension ProbeDecoder {
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

    /// A list of commands, each with a deadline of its own.
    static func hooks(_ value: Value) -> [Hook] { (value.list(of: "commands") ?? []).compactMap(hook) }

    private static func hook(_ value: Value) -> Hook? {
        guard case .map = value.node.content else { return command(value).map { Hook($0) } }
        guard let fields = Fields<HookFields>(value, "a command, or a map with 'run'") else { return nil }
        let run = fields[.run].flatMap(command)
        guard let deadline = fields[.deadline] else { return run.map { Hook($0) } }
        let limit = deadline.duration()
        guard let run, let limit else { return nil }
        return Hook(run, deadline: limit)
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

    /// Whether it is a text without a character.
    var isEmptyText: Bool {
        guard case .scalar(let scalar) = node.content else { return false }
        return scalar.text.isEmpty && scalar.meaning == .text
    }
}
