import KilnEngine
import KilnModel
import Synchronization

/// Switches in memory, which keep what they are told.
public final class FakeNetworks: NetworkControl {
    private let faults: Faults
    private let tables = Mutex<[NetworkID: SwitchTable]>([:])
    private let drops = Mutex<[SwitchStatus.Drop: UInt64]>([:])
    private let frames = Mutex<UInt64>(0)

    init(_ faults: Faults) { self.faults = faults }

    /// The networks whose switch runs.
    public var running: Set<NetworkID> { tables.withLock { Set($0.keys) } }

    /// What a switch was told; nothing where it does not run.
    public func table(_ network: NetworkID) -> SwitchTable? { tables.withLock { $0[network] } }

    /// The machine that has a server's address; nothing where none has.
    public func owner(of server: Name, on network: NetworkID) -> MachineID? {
        table(network)?.ports.first { $0.server == server && $0.isUp }?.machine
    }

    /// Lets every port have dropped so many frames more.
    public func drop(_ why: SwitchStatus.Drop, _ count: UInt64) { drops.withLock { $0[why, default: 0] += count } }

    /// Lets so many frames more have come from every port.
    public func pass(_ count: UInt64) { frames.withLock { $0 += count } }

    /// Ends a switch and whoever would start it again, behind the engine's back.
    public func kill(_ network: NetworkID) { tables.withLock { $0[network] = nil } }

    /// Makes changes.
    public func change(_ network: NetworkID, _ changes: [SwitchTable.Change]) async throws {
        try faults.call("changeNetwork") {
            tables.withLock { tables in
                let onlyUnplugs =
                    !changes.isEmpty && changes.allSatisfy { if case .unplug = $0 { true } else { false } }
                if tables[network] == nil, onlyUnplugs { return }
                var table = tables[network] ?? SwitchTable()
                changes.forEach { table.apply($0) }
                tables[network] = table
            }
        }
    }

    /// The ports, with what a test let them count.
    public func status(_ network: NetworkID) async throws -> SwitchStatus? {
        let drops = drops.withLock { $0 }.map { ($0.key.rawValue, $0.value) }
        let (dropped, received) = (Dictionary(uniqueKeysWithValues: drops), frames.withLock { $0 })
        return table(network).map { table in
            let ports = table.ports.map {
                SwitchStatus.Port(port: $0, received: received, sent: 0, dropped: dropped)
            }
            return SwitchStatus(pid: 1, ports: ports, faults: table.faults, sets: table.sets)
        }
    }

    /// Forgets it.
    public func end(_ network: NetworkID) async throws { try faults.call("endNetwork") { kill(network) } }

    /// Forgets the others.
    public func endAbandoned(
        dryRun: Bool,
        besides networks: @escaping @Sendable () throws -> Set<NetworkID>
    ) async throws -> [String] {
        let others = running.subtracting(try networks()).sorted()
        if !dryRun { others.forEach(kill) }
        return others.map { "switch \($0)" }
    }
}
