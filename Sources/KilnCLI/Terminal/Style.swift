/// The few colours of the command line; none where they are not wanted.
struct Style: Sendable, Equatable {
    /// Whether colours are written.
    let isColored: Bool

    /// For what failed.
    func bad(_ text: String) -> String { paint(text, 31) }
    /// For what is done.
    func good(_ text: String) -> String { paint(text, 32) }
    /// For what is less important.
    func faint(_ text: String) -> String { paint(text, 2) }

    private func paint(_ text: String, _ code: Int) -> String { isColored ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text }
}
