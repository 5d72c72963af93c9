import KilnModel

/// What users of one server would have seen while it was replaced.
public struct ServerAvailability: Sendable, Hashable, Codable {
    /// The server.
    public let server: Name
    /// What they would have seen.
    public let result: AvailabilityResult

    /// What was seen of a server.
    public init(server: Name, result: AvailabilityResult) {
        self.server = server
        self.result = result
    }
}
