import KilnModel

/// What a run saw of a root's drift, short enough to be kept with it.
public struct DriftFinding: Sendable, Hashable, Codable {
    /// How many paths and packages are named.
    public static let mostNamed = 40

    /// The server.
    public let server: Name
    /// The generation that was looked at.
    public let generation: Generation
    /// Why it can't be seen; nothing where it can.
    public let blind: String?
    /// How many paths and packages differ.
    public let count: Int
    /// The first of them, each with what became of it.
    public let named: [String]

    /// What a report says.
    public init(_ report: DriftReport) {
        server = report.server.ownName
        generation = report.generation
        blind = report.observable ? nil : report.reason ?? "its root can't be observed"
        count = report.count + report.packages.count
        let paths =
            report.added.map { "added \($0)" } + report.modified.map { "changed \($0.path)" }
            + report.deleted.map { "gone \($0)" } + report.hidden.map { "hidden below a mount \($0)" }
        let packages = report.packages.map { "package \($0.name) \($0.from ?? "none") → \($0.to ?? "none")" }
        named = (paths + packages).prefix(Self.mostNamed).map { String($0.prefix(200)) }
    }
}
