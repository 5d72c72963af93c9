/// A regular expression that is looked for in lines, in a time that grows with their length only.
///
/// What it is looked for in is a guest's word, and a matcher that goes back and tries again can be kept busy for years by a
/// line of thirty characters. So all ways are followed at once, one character after the other.
/// https://swtch.com/~rsc/regexp/regexp1.html
///
/// It knows characters, `.`, `[a-z]` and `[^a-z]`, `\d \w \s` and their opposites, `\t`, `^ $ \b`, `( )`, `(?: )`, `|`, `* + ?`,
/// `{n}`, `{n,}`, `{n,m}`, and `(?i)` at its beginning. A backslash takes a sign as it is.
struct LineExpression: Sendable, Hashable {
    private let program: [Instruction]
    private let ignoresCase: Bool

    /// Reads an expression.
    ///
    /// - Throws: ``Mistake``, which says what is wrong with it.
    init(_ text: String) throws(Mistake) {
        var syntax = try LineSyntax(text)
        let tree = try syntax.parse()
        var writer = LineProgram(ignoresCase: syntax.ignoresCase)
        try writer.append(tree)
        program = writer.instructions + [.found]
        ignoresCase = syntax.ignoresCase
    }

    /// What is wrong with an expression, such as "a ')' without a '('".
    struct Mistake: Error, Hashable {
        let message: String
    }

    /// Whether it is found somewhere in a line.
    func isFound(in line: some StringProtocol) -> Bool {
        let scalars = line.unicodeScalars.map { ignoresCase ? ScalarSet.folded($0.value) : $0.value }
        var search = LineSearch(program: program, line: scalars)
        return search.run()
    }
}

extension LineExpression {
    /// A part of an expression.
    indirect enum Tree: Hashable {
        case empty
        case one(ScalarSet)
        case edge(Edge)
        case sequence([Tree])
        case choice([Tree])
        case repeated(Tree, least: Int, most: Int?)
    }

    /// A place between two characters.
    enum Edge: Sendable, Hashable {
        case start, end, word
    }

    /// A step of the machine that searches.
    enum Instruction: Sendable, Hashable {
        case one(ScalarSet)
        case edge(Edge)
        /// Goes on at both.
        case split(Int, Int)
        case jump(Int)
        case found
    }
}

/// Some characters.
struct ScalarSet: Sendable, Hashable {
    var ranges: [ClosedRange<UInt32>]
    var isNegated = false

    static let all = ScalarSet(ranges: [], isNegated: true)
    static let digits = ScalarSet(ranges: [0x30...0x39])
    static let word = ScalarSet(ranges: [0x30...0x39, 0x41...0x5a, 0x5f...0x5f, 0x61...0x7a])
    static let blanks = ScalarSet(ranges: [0x09...0x0d, 0x20...0x20])

    func contains(_ scalar: UInt32) -> Bool { ranges.contains { $0.contains(scalar) } != isNegated }

    var inverted: ScalarSet { ScalarSet(ranges: ranges, isNegated: !isNegated) }

    /// The set that holds the small letter of each capital in it.
    var folded: ScalarSet {
        let capitals = ranges.compactMap { range -> ClosedRange<UInt32>? in
            let (low, high) = (max(range.lowerBound, 0x41), min(range.upperBound, 0x5a))
            return low <= high ? low + 0x20...high + 0x20 : nil
        }
        return ScalarSet(ranges: ranges + capitals, isNegated: isNegated)
    }

    /// The small letter of a capital of ASCII.
    static func folded(_ scalar: UInt32) -> UInt32 { (0x41...0x5a).contains(scalar) ? scalar + 0x20 : scalar }
}

/// Turns the tree of an expression into steps.
struct LineProgram {
    private(set) var instructions: [LineExpression.Instruction] = []
    private let ignoresCase: Bool
    // Also counts what leaves no step, such as a group of nothing that is repeated.
    private var visits = 0

    /// The most steps: each costs its time at every character.
    static let most = 1000

    init(ignoresCase: Bool) { self.ignoresCase = ignoresCase }

    mutating func append(_ tree: LineExpression.Tree) throws(LineExpression.Mistake) {
        visits += 1
        guard instructions.count < Self.most, visits < 4 * Self.most else {
            throw LineExpression.Mistake(message: "it is too long, its repetitions written out")
        }
        switch tree {
        case .empty: break
        case .one(let set): instructions.append(.one(ignoresCase ? set.folded : set))
        case .edge(let edge): instructions.append(.edge(edge))
        case .sequence(let parts): for part in parts { try append(part) }
        case .choice(let parts): try append(choice: parts)
        case .repeated(let part, let least, let most): try append(part, least: least, most: most)
        }
    }

    private mutating func append(choice parts: [LineExpression.Tree]) throws(LineExpression.Mistake) {
        var ends: [Int] = []
        for (index, part) in parts.enumerated() {
            let fork = instructions.count
            let isLast = index == parts.count - 1
            if !isLast { instructions.append(.jump(0)) }
            try append(part)
            guard !isLast else { break }
            ends.append(instructions.count)
            instructions.append(.jump(0))
            instructions[fork] = .split(fork + 1, instructions.count)
        }
        for end in ends { instructions[end] = .jump(instructions.count) }
    }

    private mutating func append(
        _ part: LineExpression.Tree,
        least: Int,
        most: Int?
    ) throws(LineExpression.Mistake) {
        for _ in 0..<least { try append(part) }
        guard let most else {
            let fork = instructions.count
            instructions.append(.jump(0))
            try append(part)
            instructions.append(.jump(fork))
            instructions[fork] = .split(fork + 1, instructions.count)
            return
        }
        var forks: [Int] = []
        for _ in least..<most {
            forks.append(instructions.count)
            instructions.append(.jump(0))
            try append(part)
        }
        for fork in forks { instructions[fork] = .split(fork + 1, instructions.count) }
    }
}

/// One search in one line.
private struct LineSearch {
    let program: [LineExpression.Instruction]
    let line: [UInt32]
    // The place at which a step was last taken up, so that none is followed twice there.
    private var marks: [Int]

    init(program: [LineExpression.Instruction], line: [UInt32]) {
        self.program = program
        self.line = line
        marks = Array(repeating: -1, count: program.count)
    }

    mutating func run() -> Bool {
        var current: [Int] = []
        for place in 0...line.count {
            if follow(0, at: place, &current) { return true }
            guard place < line.count else { break }
            var next: [Int] = []
            for step in current {
                guard case .one(let set) = program[step], set.contains(line[place]) else { continue }
                if follow(step + 1, at: place + 1, &next) { return true }
            }
            current = next
        }
        return false
    }

    /// Notes the steps that wait for a character at a place; true where the end of the program is reached.
    private mutating func follow(_ step: Int, at place: Int, _ waiting: inout [Int]) -> Bool {
        var open = [step]
        while let step = open.popLast() {
            guard marks[step] != place else { continue }
            marks[step] = place
            switch program[step] {
            case .one: waiting.append(step)
            case .edge(let edge): if holds(edge, at: place) { open.append(step + 1) }
            case .split(let first, let second): open += [second, first]
            case .jump(let target): open.append(target)
            case .found: return true
            }
        }
        return false
    }

    private func holds(_ edge: LineExpression.Edge, at place: Int) -> Bool {
        switch edge {
        case .start: place == 0
        case .end: place == line.count
        case .word: isWord(place - 1) != isWord(place)
        }
    }

    private func isWord(_ index: Int) -> Bool { line.indices.contains(index) && ScalarSet.word.contains(line[index]) }
}
