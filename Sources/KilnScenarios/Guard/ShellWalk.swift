/// A simple command as it stands in a script.
struct ShellCommand: Sendable {
    var words: [ShellWord] = []
    /// The files that its output goes to.
    var outputs: [ShellWord] = []
    /// Here-documents and here-strings.
    var documents: [ShellWord] = []
    /// The variable of a `for`, whose words these are.
    var loop: String?
    var line = 0
    /// Whether it gets the output of the one before.
    var isPiped = false
    /// Whether it is reached in any case: not behind `&&` or `||`, and in no branch, loop, subshell or function.
    var isSure = true

    var isEmpty: Bool { words.isEmpty && outputs.isEmpty && documents.isEmpty }
}

/// Takes the simple commands out of a script in their order, out of every branch and loop too.
struct ShellWalk {
    private let tokens: [ShellToken]
    private var at = 0
    private var blocks = 0
    private var parentheses = 0
    private var followsSign = ""

    init(_ tokens: [ShellToken]) { self.tokens = tokens }

    /// The next command; functions that begin before it are noted.
    mutating func next(_ functions: inout [String: [ShellToken]]) -> ShellCommand? {
        while at < tokens.count {
            let command = read(&functions)
            if !command.isEmpty { return command }
        }
        return nil
    }

    private mutating func read(_ functions: inout [String: [ShellToken]]) -> ShellCommand {
        var command = ShellCommand()
        command.isPiped = followsSign == "|"
        let isConditional = ["&&", "||"].contains(followsSign)
        loop: while at < tokens.count {
            let token = tokens[at]
            at += 1
            if command.isEmpty { command.line = token.line }
            switch token.kind {
            case .document(let word): command.documents.append(word)
            case .output:
                // `2>&1` and `2>&-` name no file.
                if let word = nextWord(), !(word.literal.map(Self.isDescriptor) ?? false) {
                    command.outputs.append(word)
                }
            case .input: _ = nextWord()
            case .word(let word):
                if command.words.isEmpty, command.loop == nil, isReserved(word, &command) { continue }
                command.words.append(word)
            case .sign("(") where isFunction(after: command):
                note(command.words.first?.literal, &functions)
                command.words = []
            case .sign(let sign):
                if end(sign, command) { break loop }
            }
        }
        command.isSure = !isConditional && blocks == 0 && parentheses == 0
        return command
    }

    /// Takes a sign; answers whether the command ends here.
    private mutating func end(_ sign: String, _ command: ShellCommand) -> Bool {
        if sign == "(" { parentheses += 1 }
        if sign == ")" { parentheses = max(0, parentheses - 1) }
        if sign == ";;" { skipPattern() }
        // A pipe into a loop or group stays one up to the first command in it.
        if !command.isEmpty || sign != "\n" { followsSign = sign }
        return true
    }

    /// Takes a word of the shell's own at the start of a command.
    private mutating func isReserved(_ word: ShellWord, _ command: inout ShellCommand) -> Bool {
        switch word.literal {
        case "if", "while", "until", "{": blocks += 1
        case "fi", "done", "}", "esac": blocks = max(0, blocks - 1)
        case "case":
            blocks += 1
            skipPattern()
        case "for", "select":
            command.loop = nextWord()?.literal
            if at < tokens.count, case .word(let word) = tokens[at].kind, word.literal == "in" { at += 1 }
        case "function": _ = nextWord()
        case "then", "do", "else", "elif", "!", "time": break
        default: return false
        }
        return true
    }

    private mutating func nextWord() -> ShellWord? {
        guard at < tokens.count, case .word(let word) = tokens[at].kind else { return nil }
        at += 1
        return word
    }

    /// Goes on behind the pattern of a case, or to its end.
    private mutating func skipPattern() {
        while at < tokens.count {
            if case .word(let word) = tokens[at].kind, word.literal == "esac" { return }
            at += 1
            if tokens[at - 1].kind == .sign(")") { return }
        }
    }

    private static func isDescriptor(_ word: String) -> Bool { word == "-" || Int(word) != nil }

    private func isFunction(after command: ShellCommand) -> Bool {
        command.words.count == 1 && at < tokens.count && tokens[at].kind == .sign(")")
    }

    /// Notes the body of a function, which is also walked through where it stands.
    private mutating func note(_ name: String?, _ functions: inout [String: [ShellToken]]) {
        at += 1
        var depth = 0
        var end = at
        while end < tokens.count {
            if case .word(let word) = tokens[end].kind {
                if word.literal == "{" { depth += 1 }
                if word.literal == "}" { depth -= 1 }
                if depth == 0 { break }
            }
            end += 1
        }
        if let name { functions[name] = Array(tokens[at..<end].drop { $0.kind == .sign("\n") }.dropFirst()) }
    }
}
