import KilnDocuments
import KilnModel
import KilnSystem

/// The parts of a step: its kind, that one's value, and the map with what stands beside it where there is one.
typealias StepParts = (kind: StepKind, content: Value, attributes: [StepAttribute: Value]?)

extension StepReader {
    /// Takes a step apart; nothing where that can't be done, which is reported then.
    func parts(_ value: Value) -> StepParts? {
        switch value.node.content {
        case .scalar(let scalar): return word(scalar, value)
        case .map(let entries): return parts(entries, value)
        case .list, .broken:
            value.mismatch("a step: a map of one of \(StepReader.words)")
            return nil
        }
    }

    private func word(_ scalar: YAMLScalar, _ value: Value) -> StepParts? {
        guard let kind = StepKind.named(scalar.text), kind.isBare else {
            let suggestion = Suggestion.text(for: scalar.text, among: StepKind.all.map(\.word))
            value.mismatch("a step: a map of one of \(StepReader.words)\(suggestion)")
            return nil
        }
        let nothing = YAMLNode(position: value.node.position, content: .scalar(YAMLScalar(text: "", isPlain: true)))
        return (kind, Value(node: nothing, path: value.path, problems: value.problems), nil)
    }

    private func parts(_ entries: [YAMLNode.Entry], _ value: Value) -> StepParts? {
        var kinds: [(kind: StepKind, value: Value)] = []
        var attributes: [StepAttribute: Value] = [:]
        for entry in entries {
            let path = FieldPath.joined(value.path, entry.key)
            let inner = Value(node: entry.value, path: path, problems: value.problems)
            if let attribute = StepAttribute(rawValue: entry.key) {
                attributes[attribute] = inner
            } else if let kind = StepKind.named(entry.key) {
                kinds.append((kind, inner))
            } else {
                refuse(entry, path, value)
                return nil
            }
        }
        // A word that is both is the kind where no other stands beside it.
        if kinds.isEmpty, let both = attributes.removeValue(forKey: .retry) { kinds.append((RetryStep.kind, both)) }
        guard let only = kinds.first, kinds.count == 1 else {
            value.mismatch("one step per element of the list: a map of one of \(StepReader.words)")
            return nil
        }
        return (only.kind, only.value, attributes)
    }

    private func refuse(_ entry: YAMLNode.Entry, _ path: String, _ value: Value) {
        let known = StepKind.all.flatMap(\.words) + StepAttribute.allCases.map(\.rawValue)
        let suggestion = Suggestion.text(for: entry.key, among: known)
        value.problems.add(entry.position, path, "unknown field\(suggestion); expected one of \(StepReader.words)")
    }

    private static var words: String { StepKind.all.map(\.word).joined(separator: ", ") }
}

// MARK: - What stands beside the kind

extension StepReader {
    /// Reads what stands beside a kind; all of it, so that all problems are reported.
    ///
    /// - Parameter action: what the kind has read; nothing where that could not be done.
    func attributes(
        _ fields: [StepAttribute: Value],
        of kind: StepKind,
        _ action: (any StepAction)?,
        _ value: Value
    ) -> StepAttributes? {
        var read = StepAttributes()
        var isWhole = true
        func take<Field>(
            _ attribute: StepAttribute,
            _ of: (Value) -> Field?,
            _ set: (inout StepAttributes, Field) -> Void
        ) {
            guard let value = fields[attribute] else { return }
            if let field = of(value) { set(&read, field) } else { isWhole = false }
        }
        take(.name, { name($0) }, { $0.name = $1 })
        take(.timeout, { $0.duration() }, { $0.timeout = $1 })
        take(.retry, { $0.retryPolicy() }, { $0.retry = $1 })
        take(.when, { condition($0) }, { $0.condition = $1 })
        take(.save, { save($0, of: kind, action) }, { $0.save = $1 })
        take(.expectFailure, { $0.expectedFailure() }, { $0.failure = $1 })
        take(.during, { during($0, of: kind, action) }, { $0.during = $1 })
        take(.finally, { steps($0) }, { $0.finally = $1 })
        if let save = fields[.save], fields[.expectFailure] != nil {
            save.problem("a step that has to fail finds nothing out that could be saved")
        }
        return isWhole ? read : nil
    }

    private func name(_ value: Value) -> String? {
        guard let text = value.text("what the step is called") else { return nil }
        guard text.count <= 100, text == Printable.line(text) else {
            value.problem("expected one line of at most 100 characters, found \(Name.quoted(text))")
            return nil
        }
        return text
    }

    private func condition(_ value: Value) -> StepCondition? {
        guard let fields = Fields<WhenFields>(value, "a map with 'value', and 'is' or 'not'") else { return nil }
        let compared = fields[.value].flatMap(written)
        let (same, other) = (fields[.is].map { written($0) }, fields[.not].map { written($0) })
        guard (same == nil) != (other == nil) else {
            value.problem("expected 'is' or 'not', found \(same == nil ? "neither" : "both")")
            return nil
        }
        guard let compared, let expected = (same ?? other) ?? nil else { return nil }
        return StepCondition(value: compared, expected: expected, isNegated: same == nil)
    }

    private func save(_ value: Value, of kind: StepKind, _ action: (any StepAction)?) -> [Name: String]? {
        guard !kind.outputs.isEmpty else {
            value.problem("'\(kind.word)' finds nothing out that could be saved")
            return nil
        }
        guard let entries = value.entries(of: "names and what is saved"), !entries.isEmpty else {
            if case .map = value.node.content { value.mismatch("at least one name") }
            return nil
        }
        let known = kind.outputs + (action?.outputs ?? [])
        var saved: [Name: String] = [:]
        for (entry, value) in entries {
            let output = value.output(among: known, isAll: action != nil)
            if let name = value.key(entry), let output { saved[name] = output }
        }
        return saved.count == entries.count ? saved : nil
    }
}

extension Value {
    /// How often something is tried.
    fileprivate func retryPolicy() -> RetryPolicy? {
        guard let fields = Fields<RetryFields>(self, "a map with 'times'") else { return nil }
        return RetryPolicy(times: fields[.times], every: fields[.every])
    }

    fileprivate func expectedFailure() -> ExpectedFailure? {
        if case .scalar(let scalar) = node.content, case .bool = scalar.meaning {
            if bool() == true { return ExpectedFailure(contains: nil) }
            problem("expected true, or a text that the reason has to contain")
            return nil
        }
        return text("true, or a text that the reason has to contain").map { ExpectedFailure(contains: $0) }
    }

    // What more a step has that could not be read nobody knows; such names have dots.
    fileprivate func output(among known: [String], isAll: Bool) -> String? {
        guard let text = text("one of \(known.joined(separator: ", "))") else { return nil }
        if known.contains(text) || !isAll && text.contains(".") { return text }
        mismatch("one of \(known.joined(separator: ", "))\(Suggestion.text(for: text, among: known))")
        return nil
    }
}

extension RetryPolicy {
    /// Reads both parts; nothing where one could not be read.
    init?(times: Value?, every: Value?) {
        let times = times?.whole(in: RetryPolicy.times)
        let every = every.map { $0.duration() } ?? .seconds(1)
        guard let times, let every else { return nil }
        self.init(times: times, every: every)
    }
}
