import KilnEngine
import KilnModel

/// What is wrong on purpose with the links and networks of a lab: several faults may be, and end in any order.
///
/// A switch knows one fault per link, so it is told all of them as one each time.
actor LinkFaults {
    /// A fault of a link, as it was begun.
    struct ID: Sendable, Hashable {
        fileprivate let link: Link
        fileprivate let number: Int
    }

    fileprivate struct Link: Sendable, Hashable {
        let network: NetworkID
        let server: Name
    }

    private let networks: any NetworkControl
    private var standing: [Link: [Int: LinkFault]] = [:]
    private var split: Set<NetworkID> = []
    private var last = 0
    private var telling: Task<Void, any Error>?

    init(_ networks: any NetworkControl) { self.networks = networks }

    /// Adds a fault to those of a server's link.
    ///
    /// - Throws: what the switch throws; the fault is not there then.
    func begin(_ fault: LinkFault, of server: Name, on network: NetworkID) async throws -> ID {
        last += 1
        let id = ID(link: Link(network: network, server: server), number: last)
        do {
            try await change(id, to: fault)
        } catch {
            standing[id.link]?[id.number] = nil
            throw error
        }
        return id
    }

    /// Puts another fault in the place of one, or takes it away; a switch that has ended meanwhile has nothing to forget.
    func change(_ id: ID, to fault: LinkFault?) async throws {
        standing[id.link, default: [:]][id.number] = fault
        try await inTurn { [networks] faults in
            if fault == nil, try await networks.status(id.link.network) == nil { return }
            try await networks.change(id.link.network, [.fault(id.link.server, await faults.whole(id.link))])
        }
    }

    /// Splits a network.
    ///
    /// - Throws: `fault.impossible` where it is split already: two splits are no sets any more.
    func split(_ network: NetworkID, _ sets: [[Name]]) async throws {
        guard split.insert(network).inserted else { throw FaultGround.impossible("\(network) is split already") }
        do {
            try await inTurn { [networks] _ in try await networks.change(network, [.split(sets)]) }
        } catch {
            split.remove(network)
            throw error
        }
    }

    /// Makes a network whole again.
    func mend(_ network: NetworkID) async throws {
        split.remove(network)
        try await inTurn { [networks] _ in
            guard try await networks.status(network) != nil else { return }
            try await networks.change(network, [.split([])])
        }
    }

    private func whole(_ link: Link) -> LinkFault? {
        standing[link].flatMap { $0.isEmpty ? nil : LinkFault.all($0.values) }
    }

    // A switch that is told twice at once could hear the older state last.
    private func inTurn(_ tell: @escaping @Sendable (LinkFaults) async throws -> Void) async throws {
        let before = telling
        let task = Task {
            _ = await before?.result
            try await tell(self)
        }
        telling = task
        try await task.value
    }
}

extension LinkFault {
    /// What several faults of one link do together.
    static func all(_ faults: some Sequence<LinkFault>) -> LinkFault {
        faults.reduce(LinkFault()) { sum, fault in
            LinkFault(
                isCut: sum.isCut || fault.isCut,
                delay: sum.delay + fault.delay,
                loss: 1000 - (1000 - sum.loss) * (1000 - fault.loss) / 1000,
                // One chance decides for all; whichever of them comes first in no order.
                seed: [sum.seed, fault.seed].compactMap(\.self).min()
            )
        }
    }
}
