/// Reads the text of a ``LineExpression``.
struct LineSyntax {
    /// The longest accepted text, in characters.
    static let longest = 500
    /// The deepest accepted nesting of groups.
    static let deepest = 30
    /// The largest count in `{n,m}`.
    static let mostTimes = 500

    /// Whether capitals are the same as small letters.
    let ignoresCase: Bool
    private var rest: ArraySlice<Unicode.Scalar>
    private var depth = 0

    private typealias Tree = LineExpression.Tree
    private typealias Mistake = LineExpression.Mistake

    init(_ text: String) throws(LineExpression.Mistake) {
        let flag = "(?i)"
        ignoresCase = text.hasPrefix(flag)
        rest = Array((ignoresCase ? text.dropFirst(flag.count) : text[...]).unicodeScalars)[...]
        guard rest.count <= Self.longest else { throw Mistake(message: "it has more than \(Self.longest) characters") }
    }

    mutating func parse() throws(LineExpression.Mistake) -> LineExpression.Tree {
        let tree = try choice()
        guard rest.isEmpty else { throw Mistake(message: "a ')' without a '('") }
        return tree
    }

    private mutating func choice() throws(LineExpression.Mistake) -> Tree {
        var parts = [try sequence()]
        while rest.first == "|" {
            rest.removeFirst()
            parts.append(try sequence())
        }
        return parts.count == 1 ? parts[0] : .choice(parts)
    }

    private mutating func sequence() throws(LineExpression.Mistake) -> Tree {
        var parts: [Tree] = []
        while let next = rest.first, next != "|", next != ")" { parts.append(try repetition(of: try atom())) }
        return .sequence(parts)
    }

    private mutating func atom() throws(LineExpression.Mistake) -> Tree {
        switch rest.removeFirst() {
        case ".": return .one(.all)
        case "^": return .edge(.start)
        case "$": return .edge(.end)
        case "(": return try group()
        case "[": return .one(try set())
        case "\\": return try escape()
        case let sign where "*+?{".unicodeScalars.contains(sign):
            throw Mistake(message: "a '\(sign)' with nothing before it; '\\\(sign)' is the sign itself")
        case let scalar: return .one(ScalarSet(ranges: [scalar.value...scalar.value]))
        }
    }

    private mutating func group() throws(LineExpression.Mistake) -> Tree {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.deepest else { throw Mistake(message: "groups are nested more than \(Self.deepest) deep") }
        if rest.first == "?" {
            guard rest.dropFirst().first == ":" else { throw Mistake(message: "'(?' is only known as '(?:'") }
            rest.removeFirst(2)
        }
        let tree = try choice()
        guard rest.first == ")" else { throw Mistake(message: "a '(' without a ')'") }
        rest.removeFirst()
        return tree
    }

    private mutating func escape() throws(LineExpression.Mistake) -> Tree {
        guard let sign = rest.popFirst() else { throw Mistake(message: "a backslash at the end") }
        if sign == "b" { return .edge(.word) }
        if let set = Self.classes[sign] { return .one(set) }
        return .one(try literal(sign))
    }

    private static let classes: [Unicode.Scalar: ScalarSet] = [
        "d": .digits, "D": ScalarSet.digits.inverted, "w": .word, "W": ScalarSet.word.inverted, "s": .blanks,
        "S": ScalarSet.blanks.inverted,
    ]

    private func literal(_ sign: Unicode.Scalar) throws(LineExpression.Mistake) -> ScalarSet {
        if sign == "t" { return ScalarSet(ranges: [9...9]) }
        // What else has a meaning elsewhere would be taken for something that it is not here.
        guard !ScalarSet.word.contains(sign.value) else { throw Mistake(message: "'\\\(sign)' is not known") }
        return ScalarSet(ranges: [sign.value...sign.value])
    }
}

extension LineSyntax {
    private mutating func set() throws(LineExpression.Mistake) -> ScalarSet {
        var set = ScalarSet(ranges: [])
        if rest.first == "^" {
            rest.removeFirst()
            set.isNegated = true
        }
        var isFirst = true
        while let next = rest.first, next != "]" || isFirst {
            isFirst = false
            set.ranges += try ranges()
        }
        guard rest.popFirst() == "]" else { throw Mistake(message: "a '[' without a ']'") }
        return set
    }

    // One element of a set: a class, a character, or two with '-' between them.
    private mutating func ranges() throws(LineExpression.Mistake) -> [ClosedRange<UInt32>] {
        if rest.first == "[", [":", ".", "="].contains(rest.dropFirst().first) {
            throw Mistake(message: "classes such as '[:alpha:]' are not known; write 'a-zA-Z'")
        }
        let (low, isClass) = try element()
        guard !isClass, rest.first == "-", let high = rest.dropFirst().first, high != "]" else { return low }
        rest.removeFirst()
        let (end, isClassToo) = try element()
        guard !isClassToo, let first = low.first?.lowerBound, let last = end.first?.lowerBound, first <= last else {
            throw Mistake(message: "a range in '[…]' ends before it begins")
        }
        return [first...last]
    }

    private mutating func element() throws(LineExpression.Mistake) -> ([ClosedRange<UInt32>], isClass: Bool) {
        guard let scalar = rest.popFirst() else { throw Mistake(message: "a '[' without a ']'") }
        guard scalar == "\\" else { return ([scalar.value...scalar.value], false) }
        guard let sign = rest.popFirst() else { throw Mistake(message: "a backslash at the end") }
        guard let known = Self.classes[sign] else { return (try literal(sign).ranges, false) }
        guard !known.isNegated else { throw Mistake(message: "'\\\(sign)' can't stand in '[…]'") }
        return (known.ranges, true)
    }

    private mutating func repetition(of part: Tree) throws(LineExpression.Mistake) -> Tree {
        guard let sign = rest.first, "*+?{".unicodeScalars.contains(sign) else { return part }
        rest.removeFirst()
        let repeated: Tree =
            switch sign {
            case "*": .repeated(part, least: 0, most: nil)
            case "+": .repeated(part, least: 1, most: nil)
            case "?": .repeated(part, least: 0, most: 1)
            default: try counted(part)
            }
        if let next = rest.first, "*+?{".unicodeScalars.contains(next) {
            throw Mistake(message: "'\(sign)' and '\(next)' in a row; whether something is found does not need that")
        }
        return repeated
    }

    private mutating func counted(_ part: Tree) throws(LineExpression.Mistake) -> Tree {
        guard let least = number() else { throw Mistake(message: "expected '{n}', '{n,}' or '{n,m}'") }
        var most: Int? = least
        if rest.first == "," {
            rest.removeFirst()
            most = number()
        }
        guard rest.popFirst() == "}" else { throw Mistake(message: "expected '{n}', '{n,}' or '{n,m}'") }
        guard least <= Self.mostTimes, most ?? least >= least, most ?? 0 <= Self.mostTimes else {
            throw Mistake(message: "the counts in '{n,m}' go up to \(Self.mostTimes), the smaller one first")
        }
        return .repeated(part, least: least, most: most)
    }

    private mutating func number() -> Int? {
        var digits = ""
        while let next = rest.first, ScalarSet.digits.contains(next.value), digits.count < 6 {
            digits.unicodeScalars.append(next)
            rest.removeFirst()
        }
        return Int(digits)
    }
}
