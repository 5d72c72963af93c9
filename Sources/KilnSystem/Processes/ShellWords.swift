/// Words of a POSIX shell's command line.
public enum ShellWords {
    /// The word as a shell reads it back, whatever is in it.
    public static func quoted(_ word: String) -> String {
        let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789@%+=:,./-_".utf8)
        if !word.isEmpty && word.utf8.allSatisfy({ plain.contains($0) }) { return word }
        return "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }

    /// The words of one command.
    public static func line(_ words: [String]) -> String { words.map(quoted).joined(separator: " ") }
}
