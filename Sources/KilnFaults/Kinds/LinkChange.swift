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

    /// Tells how many frames a cut of it refused between two counts.
    var refused: @Sendable (SwitchStatus, SwitchStatus) -> String? {
        { [server] before, after in
            let count = NetworkCount.dropped(.cut, by: server, before, after)
            return count > 0 ? "\(count) frames refused" : nil
        }
    }

    /// Adds a fault to those that the link has, and takes it away afterwards.
    ///
    /// - Parameter proof: judges what the switch counted before and after.
    func strike(
        _ fault: LinkFault,
        _ ground: FaultGround,
        proof: @escaping @Sendable (SwitchStatus, SwitchStatus) -> String?
    ) async throws -> StruckFault {
        let (id, links) = (ground.id(network: network), ground.links)
        let before = try await NetworkCount.status(of: id, ground)
        let struck = try await links.begin(fault, of: server, on: id)
        return StruckFault(
            proof: { [networks = ground.parts.networks] in
                try await networks.status(id).flatMap { proof(before, $0) }
            },
            undo: { try await links.change(struck, to: nil) }
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

    /// How many frames the link of a server dropped for a reason between two counts.
    static func dropped(
        _ why: SwitchStatus.Drop,
        by server: Name,
        _ before: SwitchStatus,
        _ after: SwitchStatus
    ) -> UInt64 {
        grown(before, after) { $0.port.server == server ? $0.dropped[why.rawValue] ?? 0 : 0 }
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
