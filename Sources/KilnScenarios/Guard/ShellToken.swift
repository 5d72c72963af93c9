/// A piece of a shell script.
struct ShellToken: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        case word(ShellWord)
        /// What ends or joins commands: `;`, `&&`, `|`, `(`, a line's end and the like.
        case sign(String)
        /// `>` and its kin; the next word is the file.
        case output
        /// `<`; the next word is the file.
        case input
        /// What a here-document or here-string gives to the command before it.
        case document(ShellWord)
    }

    let kind: Kind
    /// The line of the script, from 0.
    let line: Int
}

/// A word before its variables are replaced.
struct ShellWord: Sendable, Hashable {
    enum Piece: Sendable, Hashable {
        case text(String)
        /// A variable, and what stands in its place where it is not set, as in `${name:-other}`.
        case variable(String, isQuoted: Bool, otherwise: ShellWord?)
        /// A variable that is cut or changed, as in `${name%x}`: what comes out is not followed.
        case changed(String)
        /// The output of a script.
        case output(of: String)
        /// What only the running shell knows, such as the names that a pattern matches.
        case unknown
    }

    var pieces: [Piece] = []

    /// The text of a word without variables and patterns.
    var literal: String? {
        guard case .text(let text)? = pieces.first, pieces.count == 1 else { return nil }
        return text
    }

    /// Goes on with the text at its end.
    mutating func append(_ more: String) {
        guard case .text(let text)? = pieces.last else { return pieces.append(.text(more)) }
        pieces[pieces.count - 1] = .text(text + more)
    }
}
