import KilnModel

/// Runs the switches of labs' networks.
///
/// A switch is a process of its own that outlives commands, and is started again by itself when it dies. All methods can be
/// repeated, and throw `KilnError`.
public protocol NetworkControl: Sendable {
    /// Makes changes, all or none; a switch that does not run is started first, but for changes that only unplug.
    ///
    /// Without changes it just runs afterwards.
    func change(_ network: NetworkID, _ changes: [SwitchTable.Change]) async throws
    /// What the switch tells of itself; nothing where it does not run.
    func status(_ network: NetworkID) async throws -> SwitchStatus?
    /// Ends the switch, and removes what it is reached by; one that does not run has ended already.
    func end(_ network: NetworkID) async throws
    /// Ends the switches of all other networks of this state directory, or only tells; returns what they left, a line each.
    ///
    /// - Parameter networks: is asked after it was looked who is there, so that nobody is missed who comes meanwhile.
    func endAbandoned(
        dryRun: Bool,
        besides networks: @escaping @Sendable () throws -> Set<NetworkID>
    ) async throws -> [String]
}
