/// A formatting program in a script.
struct FormatFinding: Sendable, Hashable {
    /// The line of the script, from 0.
    let line: Int
    /// The program, or what writes there.
    let program: String
    /// The device; nothing where only the running script knows what it is.
    let device: String?
}
