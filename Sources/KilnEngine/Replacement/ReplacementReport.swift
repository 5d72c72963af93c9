import KilnModel

/// What became of a replacement, or of the launch of a first generation.
public struct ReplacementReport: Sendable, Hashable, Codable {
    /// The server.
    public let server: ServerID
    /// The generation that served before.
    public let from: Generation?
    /// The generation that was to serve.
    public let to: Generation
    /// How it ended.
    public let outcome: Outcome
    /// The steps that were done, with their times.
    public let steps: [CompletedStep]
    /// Why it turned back, if it did.
    public let turn: TurnBack?
    /// What was said at the end.
    public let reason: String?
    /// The directory that holds what the new machine left behind, if it turned back.
    public let evidence: String?
}
