import KilnDocuments
import KilnEngine
import KilnModel

/// The link of a server to a network, which is made worse for a while.
struct LinkChange: Sendable {
    let server: Name
    let network: Name

    /// Both parts; nothing where one could not be read.
    init?(server: Value?, network: Value?, _ reader: FaultReader) {
        let found = reader.server(server)
        guard let name = reader.network(network, of: found), let found else { return nil }
        self.server = found.name
        self.network = name
    }

    var words: String { "\(server) on \(network)" }

    /// Gives the link a fault in place of the one that it has, which it gets back afterwards.
    ///
    /// - Parameter proof: judges what the switch counted before and after.
    func strike(
        _ fault: LinkFault,
        _ ground: FaultGround,
        proof: @escaping @Sendable (SwitchStatus, SwitchStatus) -> String?
    ) async throws -> StruckFault {
        let (id, networks) = (ground.id(network: network), ground.parts.networks)
        let before = try await NetworkCount.status(of: id, ground)
        try await networks.change(id, [.fault(server, fault)])
        return StruckFault(
            proof: { try await networks.status(id).flatMap { proof(before, $0) } },
            undo: { try await NetworkCount.undo(id, .fault(server, before.faults[server]), networks) }
        )
    }
}

/// What a switch counted.
enum NetworkCount {
    /// What it tells of itself.
    ///
    /// - Throws: `fault.impossible` where it does not run.
    static func status(of network: NetworkID, _ ground: FaultGround) async throws -> SwitchStatus {
        guard let status = try await ground.parts.networks.status(network) else {
            throw FaultGround.impossible("the switch of \(network) does not run")
        }
        return status
    }

    /// Takes a change back; a switch that has ended meanwhile has nothing to forget.
    static func undo(
        _ network: NetworkID,
        _ change: SwitchTable.Change,
        _ networks: any NetworkControl
    ) async throws {
        guard try await networks.status(network) != nil else { return }
        try await networks.change(network, [change])
    }

    /// How many frames were dropped for a reason between two counts.
    static func dropped(_ why: SwitchStatus.Drop, _ before: SwitchStatus, _ after: SwitchStatus) -> UInt64 {
        grown(before, after) { $0.dropped[why.rawValue] ?? 0 }
    }

    /// How many frames of a server came or went between two counts.
    static func passed(_ server: Name, _ before: SwitchStatus, _ after: SwitchStatus) -> UInt64 {
        grown(before, after) { $0.port.server == server ? $0.received + $0.sent : 0 }
    }

    // Ports come and go, and a switch that was started again counts from 0.
    private static func grown(
        _ before: SwitchStatus,
        _ after: SwitchStatus,
        _ count: (SwitchStatus.Port) -> UInt64
    ) -> UInt64 {
        let isSame = before.pid == after.pid
        return after.ports.reduce(0) { sum, port in
            let old = isSame ? before.ports.first { $0.port.machine == port.port.machine }.map(count) ?? 0 : 0
            return sum + (count(port) > old ? count(port) - old : 0)
        }
    }
}
