import KilnModel

extension Value {
    /// Text that is not empty; a bare word that YAML takes for something else is refused with the way out.
    package func text(_ expected: String = "text") -> String? {
        guard case .scalar(let scalar) = node.content else {
            mismatch(expected)
            return nil
        }
        switch scalar.meaning {
        case .text where !scalar.text.isEmpty:
            return scalar.text
        case .text:
            problem("expected \(expected), found an empty text")
        case .nothing:
            mismatch(expected)
        case .bool, .whole, .fraction:
            problem("expected \(expected), found \(scalar.found); put it in quotes to make it text: \"\(scalar.text)\"")
        }
        return nil
    }

    /// A whole number in plain decimal digits within `range`.
    package func whole(in range: ClosedRange<Int>) -> Int? {
        guard case .scalar(let scalar) = node.content, let number = scalar.decimal, range.contains(number) else {
            mismatch("a whole number from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return number
    }

    /// A processor model.
    package func processorModel() -> ProcessorModel? {
        let expected = "a processor model: x86-64-v2, x86-64-v3, host, or one that the hypervisor knows"
        // A bare number, such as 486, is a model too.
        guard case .scalar(let scalar) = node.content, let model = ProcessorModel(scalar.text) else {
            mismatch(expected)
            return nil
        }
        return model
    }

    /// `true` or `false`, and no other word.
    package func bool() -> Bool? {
        guard case .scalar(let scalar) = node.content, scalar.isPlain, let value = Bool(scalar.text) else {
            mismatch("true or false")
            return nil
        }
        return value
    }

    /// A name that this field gives.
    package func newName() -> Name? {
        guard let text = text("a name (\(Value.nameRule))") else { return nil }
        guard let name = try? Name(text) else {
            mismatch("a name (\(Value.nameRule))")
            return nil
        }
        return name
    }

    /// A name that the file declares elsewhere.
    package func reference(_ kind: String, among declared: [Name]) -> Name? {
        text("the name of a \(kind)").flatMap { reference(kind, text: $0, among: declared) }
    }

    /// `text` as a name that the file declares elsewhere.
    package func reference(_ kind: String, text: String, among declared: [Name]) -> Name? {
        if let name = declared.first(where: { $0.text == text }) { return name }
        let suggestion = Suggestion.text(for: text, among: declared.map(\.text))
        let names = declared.sorted().map(\.text).joined(separator: ", ")
        let known = declared.isEmpty ? "none is declared" : "declared: \(names)"
        problem("expected the name of a \(kind), found \(Name.quoted(text))\(suggestion); \(known)")
        return nil
    }

    /// One of some words.
    package func word<Word: RawRepresentable & CaseIterable>(_: Word.Type) -> Word? where Word.RawValue == String {
        let words = Word.allCases.map(\.rawValue)
        guard let text = text("one of \(words.joined(separator: ", "))") else { return nil }
        guard let word = Word(rawValue: text) else {
            mismatch("one of \(words.joined(separator: ", "))\(Suggestion.text(for: text, among: words))")
            return nil
        }
        return word
    }

    /// A size such as `256MiB`, at least `least`.
    package func size(atLeast least: ByteCount) -> ByteCount? {
        let expected = "a size such as 256MiB (units KiB, MiB, GiB, TiB) of at least \(least)"
        guard case .scalar(let scalar) = node.content, let size = ByteCount(scalar.text), size >= least else {
            mismatch(expected)
            return nil
        }
        return size
    }

    /// A duration such as `500ms`, `10s`, `5m` or `1h`, up to a day.
    package func duration() -> Duration? {
        guard case .scalar(let scalar) = node.content, let duration = Duration(written: scalar.text) else {
            mismatch("a duration such as 500ms, 10s, 5m or 1h, up to 24h")
            return nil
        }
        return duration
    }

    /// A duration such as `12h` or `30d`, up to ten years of 365 days.
    package func longDuration() -> Duration? {
        guard case .scalar(let scalar) = node.content, let duration = Duration(written: scalar.text, days: 3650) else {
            mismatch("a duration such as 12h or 30d, up to 3650d")
            return nil
        }
        return duration
    }
}

extension Duration {
    /// Reads a whole number with one of the units ms, s, m, h; more than nothing and at most a day.
    init?(written text: String) { self.init(text, units: Duration.units, limit: Duration.day) }

    /// Reads the same with `d` for days, too; more than nothing and at most so many days.
    init?(written text: String, days: Int) {
        let units = Duration.units.merging(["d": Duration.day]) { $1 }
        self.init(text, units: units, limit: days * Duration.day)
    }

    private init?(_ text: String, units: [String: Int], limit: Int) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let unit = units[String(text.dropFirst(digits.count))], let count = Int(digits),
            (1...limit / unit).contains(count)
        else { return nil }
        self = .milliseconds(count * unit)
    }

    // In milliseconds.
    private static let day = 86_400_000
    private static let units = ["ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000]
}
