import KilnModel

/// Brings labs up, replaces their servers and takes them down.
///
/// Changing methods take the server's lock, then recover what an earlier command left unfinished, then act. Reading
/// methods take no lock and recover nothing, so they work beside a running replacement.
///
/// All methods throw `KilnError` or `CancellationError`.
public struct LabEngine: Sendable {
    let state: StateDirectory
    let parts: EngineParts

    /// An engine that keeps its state in the given directory.
    public init(state: StateDirectory, parts: EngineParts) {
        self.state = state
        self.parts = parts
    }
}
