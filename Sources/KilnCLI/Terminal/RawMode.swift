import Foundation

/// A terminal that passes every key on, for as long as it is kept.
struct RawMode {
    private let saved: termios

    /// Puts the terminal at standard input into raw mode; nothing if it is none.
    init?() {
        var settings = termios()
        guard tcgetattr(STDIN_FILENO, &settings) == 0 else { return nil }
        saved = settings
        cfmakeraw(&settings)
        guard tcsetattr(STDIN_FILENO, TCSADRAIN, &settings) == 0 else { return nil }
    }

    /// Restores what was before.
    func leave() {
        var settings = saved
        tcsetattr(STDIN_FILENO, TCSADRAIN, &settings)
    }
}
