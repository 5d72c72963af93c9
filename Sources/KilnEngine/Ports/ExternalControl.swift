import KilnModel

/// Runs the services that a scenario has beside its machines, on the host.
///
/// Each is a process of its own, without privileges, that outlives the command: whoever finds what a dead run left ends it. All
/// methods throw `KilnError`.
public protocol ExternalControl: Sendable {
    /// Starts a service, and waits until it serves.
    ///
    /// - Parameter taken: ports of the host that are somebody else's, though nobody may listen there now.
    /// - Returns: how it is reached; the same is written down, readable for nobody else, as ``ExternalAccess/write(_:for:in:)``
    ///   does.
    func start(_ id: ExternalID, _ spec: ExternalSpec, besides taken: Set<UInt16>) async throws -> ExternalAccess
    /// Ends all services of a lab, and removes all that they have; where there is none, nothing happens.
    func end(of lab: Name) async throws
    /// The last of what a service said to its log; nothing where it has none.
    func log(_ id: ExternalID) async -> [UInt8]?
}
