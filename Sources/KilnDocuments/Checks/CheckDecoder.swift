import KilnModel

/// Reads the checks of a place.
package struct CheckDecoder<Place: CheckPlace> {
    let place: Place

    package init(_ place: Place) { self.place = place }

    /// A list of checks; without those that could not be read.
    package func list(_ value: Value) -> [Check] {
        (value.list(of: "\(Place.title)s") ?? []).compactMap(check)
    }

    private func check(_ value: Value) -> Check? {
        if case .scalar(let scalar) = value.node.content { return word(scalar, value) }
        return value.oneField(of: ProbeFields<Place>.self, Place.title).flatMap(check)
    }

    private func check(_ kind: ProbeFields<Place>, _ value: Value) -> Check? {
        switch kind {
        case .http:
            guard let fields = fields(HTTPFields<Place>.self, value, "a map with 'port' and 'path'") else { return nil }
            return check(HTTPDecoder(place: place).probe { fields[.probe($0)] }.map { .http($0) }, fields)
        case .tcp: return tcp(value)
        case .exec: return exec(value)
        case .agent:
            return Fields<Place.Settings>(value, "a map with settings").flatMap { fields in
                place.check(.agent) { fields[$0] }
            }
        case .cloudInit: return cloudInit(value)
        case .not: return negation(value)
        case .any: return several(value) { .any($0) }
        case .all: return several(value) { .all($0) }
        default: return resource(kind, value)
        }
    }

    private func word(_ scalar: YAMLScalar, _ value: Value) -> Check? {
        switch ProbeWord(rawValue: scalar.text) {
        case .agent: return place.check(.agent) { _ in nil }
        case .cloudInit: return place.check(.cloudInit()) { _ in nil }
        case nil:
            let kinds = ProbeFields<Place>.allCases.map(\.rawValue)
            value.mismatch(
                "a \(Place.title): agent, cloud-init, or a map of one of \(kinds.joined(separator: ", "))"
                    + Suggestion.text(for: scalar.text, among: ProbeWord.allCases.map(\.rawValue) + kinds)
            )
            return nil
        }
    }

    private func tcp(_ value: Value) -> Check? {
        guard let fields = fields(TCPFields<Place>.self, value, "a map with 'port' and 'expect'") else { return nil }
        let port = fields[.probe(.port)].flatMap(place.port)
        let send = fields[.probe(.send)]?.text()
        let expect = fields[.probe(.expect)]?.text()
        var probe: Probe?
        if let port, let expect { probe = .tcp(port: port, send: send, expect: expect) }
        return check(probe, fields)
    }

    private func exec(_ value: Value) -> Check? {
        guard case .map = value.node.content else {
            return value.command().flatMap { command in place.check(.exec(command)) { _ in nil } }
        }
        guard let fields = fields(RunFields.self, value, "a command, or a map with 'run'") else { return nil }
        return check(fields[.probe(.run)]?.command().map { .exec($0) }, fields)
    }

    private func cloudInit(_ value: Value) -> Check? {
        guard let fields = fields(CloudInitFields.self, value, "a map with settings") else { return nil }
        let allowDegraded = fields[.probe(.allowDegraded)].map { $0.bool() } ?? false
        return check(allowDegraded.map { .cloudInit(allowDegraded: $0) }, fields)
    }

    // The settings stand in the probe that is turned round.
    private func negation(_ value: Value) -> Check? {
        guard let (kind, inner) = value.oneField(of: ProbeFields<Place>.self, Place.title) else { return nil }
        guard ProbeFields<Place>.negatable.contains(kind) else {
            let why = kind == .not ? "write it without either 'not'" : "nothing can wait for that not to hold"
            value.problem("'\(kind.rawValue)' can't stand in 'not': \(why)")
            return nil
        }
        guard let check = check(kind, inner) else { return nil }
        guard check.probe.isNegatable else {
            value.problem("'agent' and 'cloud-init' can't stand in 'not': nothing can wait for them not to hold")
            return nil
        }
        return check.negated
    }

    // The settings are those of the whole.
    private func several(_ value: Value, _ probe: ([Probe]) -> Probe) -> Check? {
        guard case .map = value.node.content else {
            return parts(value).flatMap { parts in place.check(probe(parts)) { _ in nil } }
        }
        guard let fields = fields(SeveralFields.self, value, "a list of probes, or a map with 'of'") else { return nil }
        return check(fields[.probe(.of)].flatMap(parts).map(probe), fields)
    }

    private func parts(_ value: Value) -> [Probe]? {
        guard let elements = value.list(of: "probes", atLeast: 1) else { return nil }
        let parts = elements.map { CheckDecoder<Place.Part>(place.part).check($0)?.probe }
        return parts.contains(nil) ? nil : parts.compactMap(\.self)
    }

    // MARK: - Settings

    func fields<Field: FileField>(
        _: Field.Type,
        _ value: Value,
        _ expected: String
    ) -> Fields<JoinedFields<Field, Place.Settings>>? {
        Fields(value, expected)
    }

    func check<Field>(_ probe: Probe?, _ fields: Fields<JoinedFields<Field, Place.Settings>>) -> Check? {
        place.check(probe) { fields[.check($0)] }
    }
}

extension Check {
    /// The same with its probe turned round.
    fileprivate var negated: Check {
        Check(
            .not(probe),
            every: every,
            timeout: timeout,
            successes: successes,
            failures: failures,
            hint: hint,
            eventually: eventually,
            always: always
        )
    }
}

extension Probe {
    /// Whether there is a moment at which it is known not to hold.
    var isNegatable: Bool {
        leaves.allSatisfy { leaf in
            switch leaf {
            case .agent, .cloudInit: false
            default: true
            }
        }
    }
}

extension Value {
    /// Program and arguments; a text is a command line for `/bin/sh -c`.
    package func command() -> [String]? {
        guard case .list = node.content else {
            return text("a command: a list, or a text for /bin/sh -c").map { ["/bin/sh", "-c", $0] }
        }
        guard let elements = list(of: "program and arguments") else { return nil }
        let texts = elements.enumerated().map { index, element in
            index > 0 && element.isEmptyText ? "" : element.text()
        }
        return texts.contains(nil) ? nil : texts.compactMap { $0 }
    }

    /// The one field of a map that has exactly one.
    package func oneField<Field: FileField>(of _: Field.Type, _ kind: String) -> (Field, Value)? {
        let names = Field.allCases.map(\.rawValue).joined(separator: ", ")
        guard let fields = Fields<Field>(self, "a \(kind): a map of one of \(names)") else { return nil }
        guard case .map(let entries) = node.content, entries.count == 1 else {
            mismatch("one \(kind) per element of the list: a map of one of \(names)")
            return nil
        }
        return Field.allCases.first { fields[$0] != nil }.flatMap { field in fields[field].map { (field, $0) } }
    }

    /// Whether it is a text without a character.
    package var isEmptyText: Bool {
        guard case .scalar(let scalar) = node.content else { return false }
        return scalar.text.isEmpty && scalar.meaning == .text
    }
}
