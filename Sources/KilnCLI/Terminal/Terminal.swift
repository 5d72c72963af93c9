import Foundation
import KilnSystem

/// What the process is connected to.
struct Terminal: Sendable, Equatable {
    /// Whether standard input is a terminal; only then may a question be asked.
    let isInputInteractive: Bool
    /// Whether standard output is a terminal.
    let isOutputInteractive: Bool
    /// Whether standard error is a terminal that can rewrite its current line.
    let canRewriteLine: Bool
    /// Whether standard output is a terminal on which a picture can be drawn anew.
    let canRedraw: Bool
    /// The colours of standard error.
    let style: Style
    /// Whether standard output shows colours.
    let isOutputColored: Bool

    /// What the descriptors and the environment say; `NO_COLOR` (no-color.org) and `TERM=dumb` are heeded.
    init(input: Bool, output: Bool, errors: Bool, environment: [String: String]) {
        let isDumb = environment["TERM"] == nil || environment["TERM"] == "dumb"
        let wantsNoColor = !(environment["NO_COLOR"] ?? "").isEmpty
        isInputInteractive = input
        isOutputInteractive = output
        canRewriteLine = errors && !isDumb
        canRedraw = output && !isDumb
        style = Style(isColored: errors && !isDumb && !wantsNoColor)
        isOutputColored = output && !isDumb && !wantsNoColor
    }

    /// This process's.
    static var current: Terminal {
        Terminal(
            input: isatty(STDIN_FILENO) == 1,
            output: isatty(STDOUT_FILENO) == 1,
            errors: isatty(STDERR_FILENO) == 1,
            environment: ProcessEnvironment.variables
        )
    }

    /// The columns of the terminal at standard error; 80 where it doesn't say.
    static var columns: Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }
}
