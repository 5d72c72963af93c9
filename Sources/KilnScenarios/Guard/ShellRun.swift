/// An imagined run of a shell script, which finds where it formats a device.
///
/// Variables are followed where they are set in plain sight; of two ways a script may take, both are looked at. What only a real run
/// knows stays unknown, and where a formatting program gets it, that is a finding without a device.
struct ShellRun {
    private var noted: [FormatFinding] = []
    /// Scripts by their path, which are followed where they are called.
    var files: [String: String]
    /// The paths of files that were downloaded.
    var fetched: Set<String>

    var variables: [String: ShellArgument] = [:]
    /// The arguments of the script or function; nothing where nobody knows them.
    var positional: [ShellArgument]?
    /// Where relative names begin, once the script has changed it.
    var folder = ""
    /// What symbolic links lead to.
    var links: [String: ShellArgument] = [:]
    /// Every word that a command got, for pipes and `$(…)`.
    var seen: [ShellArgument] = []
    /// What the commands before a pipe have said.
    var piped: [ShellArgument] = []
    var functions: [String: [ShellToken]] = [:]
    /// Whether the next command runs in any case.
    var isSure = true
    /// The line in the outermost script, while another one is followed.
    private var outer: Int?
    var line = 0
    private var level = 0
    private var budget = 5_000

    init(files: [String: String] = [:], fetched: Set<String> = []) { (self.files, self.fetched) = (files, fetched) }

    /// What was found, in the order of the script: devices, and only without any what may be one.
    var findings: [FormatFinding] {
        let sure = noted.filter { $0.device != nil }
        return sure.isEmpty ? noted : sure
    }

    /// All findings of a script with these arguments.
    mutating func follow(_ script: String, _ arguments: [ShellArgument]? = nil) {
        walk(ShellLexer.tokens(of: script), arguments)
    }

    mutating func walk(_ tokens: [ShellToken], _ arguments: [ShellArgument]?) {
        guard level < 12 else {
            // Mostly a function that calls itself.
            let words = tokens.lazy.compactMap { if case .word(let word) = $0.kind { word.literal } else { nil } }
            return words.contains { FormattingProgram.mentioned(in: $0) != nil } ? found(Self.tooLong, nil) : ()
        }
        var walk = ShellWalk(tokens)
        let before = (positional, outer, isSure, piped)
        if level > 0 { outer = line }
        level += 1
        positional = arguments
        while budget > 0, let command = walk.next(&functions) {
            budget -= 1
            line = outer ?? command.line
            isSure = command.isSure && (level == 1 || before.2)
            if !command.isPiped { piped = [] }
            perform(command)
        }
        if budget == 0 { found(Self.tooLong, nil) }
        level -= 1
        (positional, outer, isSure, piped) = before
    }

    private static let tooLong = "a script too long to be judged"

    /// Follows a script in a shell of its own, and answers with the words that it may print.
    mutating func output(of script: String) -> ShellArgument {
        var inner = self
        inner.seen = []
        inner.follow(script, positional)
        (noted, fetched) = (inner.noted, inner.fetched)
        budget = inner.budget
        let tokens = ShellLexer.tokens(of: script)
        if inner.seen.first?.known == "echo", !tokens.contains(where: { $0.kind == .sign("|") }) {
            return Self.joined(inner.seen.dropFirst())
        }
        let telling = inner.seen.flatMap(\.values).filter {
            DevicePath.kind(of: $0, in: folder) == .device || FormattingProgram.isName($0.baseName)
                || Self.isDownload($0)
        }
        return ShellArgument(telling + [.unknown])
    }

    mutating func found(_ program: String, _ device: String?) {
        let finding = FormatFinding(line: line, program: program, device: device)
        if !noted.contains(finding) { noted.append(finding) }
    }
}

extension ShellRun {
    private mutating func perform(_ command: ShellCommand) {
        let outputs = command.outputs.flatMap { expanded($0) }
        judge(">", outputs)
        let documents = command.documents.flatMap { expanded($0, splits: false) }
        if let name = command.loop { return assign(name, command.words.flatMap { expanded($0) }) }
        var words = command.words[...]
        while let (name, value) = words.first.flatMap(Self.assignment) {
            assign(name, expanded(value, splits: false))
            words = words.dropFirst()
        }
        let arguments = words.flatMap { expanded($0) }
        piped += documents
        run(arguments)
        var said = documents.isEmpty ? [Self.joined(arguments.dropFirst())] : documents
        let isTee = arguments.first?.known?.split(separator: "/").last == "tee"
        let written = isTee ? arguments.dropFirst().filter { !$0.isOption } : []
        if isTee { said = piped }
        let isDownload = (arguments.prefix(1) + piped).contains { Self.isDownload($0) }
        for path in (outputs + written).compactMap(\.known) {
            if isDownload { fetched.insert(place(path)) }
            files[path, default: ""] += said.compactMap(\.known).map { $0 + "\n" }.joined()
        }
        seen += arguments.filter { $0.values.allSatisfy { $0.text.utf8.count < 4096 } }
        piped += arguments + said
    }

    /// The arguments as one text.
    static func joined(_ arguments: some Sequence<ShellArgument>) -> ShellArgument {
        var text: ShellArgument?
        for argument in arguments { text = text.map { $0 + ShellArgument(" ") + argument } ?? argument }
        return text ?? ShellArgument("")
    }

    /// `name=value`, as a word that sets a variable.
    static func assignment(_ word: ShellWord) -> (name: String, value: ShellWord)? {
        guard case .text(let text)? = word.pieces.first, let sign = text.firstIndex(of: "=") else { return nil }
        let name = text[..<sign]
        guard let first = name.first, first == "_" || first.isLetter,
            name.allSatisfy({ $0 == "_" || $0.isLetter || $0.isNumber })
        else { return nil }
        let rest = ShellWord.Piece.text(String(text[text.index(after: sign)...]))
        return (String(name), ShellWord(pieces: [rest] + word.pieces.dropFirst()))
    }

    /// Sets a variable to any of the values, and leaves the one before where the command may not run.
    mutating func assign(_ name: String, _ values: [ShellArgument]) {
        let before = isSure ? [] : variables[name]?.values ?? []
        variables[name] = ShellArgument(before + values.flatMap(\.values))
    }

    /// The arguments that a word becomes: one, or more where a variable without quotes holds several words.
    mutating func expanded(_ word: ShellWord, splits: Bool = true) -> [ShellArgument] {
        var result = ShellArgument("")
        var isSplit = false
        let pieces = word.pieces.filter { $0 != .text("") }
        for piece in pieces {
            if case .variable(let name, let isQuoted, _) = piece {
                if "@*".contains(name), pieces.count == 1, let positional { return positional }
                isSplit = isSplit || !isQuoted
            } else if case .output = piece {
                isSplit = true
            }
            result = result + value(of: piece)
        }
        guard splits, isSplit, let text = result.known else { return [result] }
        return text.split(whereSeparator: \.isWhitespace).map { ShellArgument(String($0)) }
    }

    private mutating func value(of piece: ShellWord.Piece) -> ShellArgument {
        switch piece {
        case .text(let text): return ShellArgument(text)
        case .unknown: return .unknown
        case .output(let script): return output(of: script)
        case .changed(let name): return variable(name) + .unknown
        case .variable(let name, _, let otherwise):
            let own = variable(name)
            guard let otherwise else { return own }
            return ShellArgument(own.values + expanded(otherwise, splits: false).flatMap(\.values))
        }
    }

    private func variable(_ name: String) -> ShellArgument {
        guard let number = Int(name), number > 0 else { return variables[name] ?? .unknown }
        guard let positional else { return .unknown }
        return number <= positional.count ? positional[number - 1] : ShellArgument("")
    }
}

extension ShellArgument.Value {
    /// The last part of the path; of several words, of the first.
    var baseName: String {
        let first = text.split(whereSeparator: \.isWhitespace).first ?? ""
        return String(first.split(separator: "/").last ?? "")
    }
}
