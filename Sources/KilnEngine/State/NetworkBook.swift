import Foundation
import KilnModel
import KilnSystem

/// The addresses of a lab's servers on its networks: chosen once, then the same for every machine of a server.
struct NetworkBook: Sendable, Codable {
    /// One network.
    struct Network: Sendable, Codable {
        /// Its first address, which is nobody's.
        let base: NetworkAddress
        /// The addresses by server.
        var addresses: [Name: NetworkAddress] = [:]
    }

    /// The networks by name.
    private(set) var networks: [Name: Network] = [:]

    /// The last numbers that servers get; those before and after are nobody's.
    private static let hosts = 10..<UInt8(10 + NetworkID.mostServers)
    /// The second numbers of networks: QEMU's user-mode network is 10.0.2.0, and hosts are most often in low ones.
    private static let seconds: ClosedRange<UInt8> = 64...191

    /// Fills in what the lab declares and the book lacks.
    ///
    /// - Throws: `network.full`, naming the server for which there is no address.
    mutating func fill(_ lab: LabSpec) throws {
        for name in lab.networks where networks[name] == nil { networks[name] = Network(base: freeBase(name)) }
        for (server, spec) in lab.servers.sorted(by: { $0.key < $1.key }) {
            for ordinal in 0..<spec.replicas {
                let member = try MemberID(lab: lab.name, server: server, ordinal: ordinal).own(server)
                for name in spec.networks { try add(member, to: name, of: lab.name) }
            }
        }
    }

    /// Strikes a server out.
    mutating func forget(_ server: Name) {
        for name in networks.keys { networks[name]?.addresses[server] = nil }
    }

    /// The servers that share a network with one that is on `networks`, by the address at which that one reaches them; a server
    /// on several of them is reached on the first.
    func peers(on networks: [Name]) -> [NetworkAddress: Name] {
        var known: Set<Name> = []
        var peers: [NetworkAddress: Name] = [:]
        for name in networks {
            for (server, address) in self.networks[name]?.addresses ?? [:] where known.insert(server).inserted {
                peers[address] = server
            }
        }
        return peers
    }

    private mutating func add(_ server: Name, to name: Name, of lab: Name) throws {
        var network = networks[name] ?? Network(base: freeBase(name))
        if network.addresses[server] == nil {
            let taken = Set(network.addresses.values)
            let free = NetworkBook.hosts.lazy.map { network.base.with(host: $0) }.first { !taken.contains($0) }
            guard let free else { throw full(server, name, of: lab) }
            network.addresses[server] = free
        }
        networks[name] = network
    }

    private func full(_ server: Name, _ network: Name, of lab: Name) -> KilnError {
        KilnError(
            .networkFull,
            "the network \(lab)/\(network) has no address left for the server \(server): \(NetworkID.mostServers) servers have "
                + "had one",
            hint:
                "spread the servers over several networks; 'kiln down \(lab)' gives back the addresses of those that are "
                + "not declared any more",
            exit: .blocked
        )
    }

    // By the name alone, so that a network looks the same in every lab; two of one lab differ.
    private func freeBase(_ name: Name) -> NetworkAddress {
        let taken = Set(networks.values.map(\.base))
        let hash = StableHash.fnv1a(name.text)
        let count = UInt64(NetworkBook.seconds.count)
        return (0..<count * 256).lazy.map { step in
            let number = (hash % (count * 256) + step) % (count * 256)
            return NetworkAddress(
                NetworkBook.seconds.lowerBound + UInt8(number >> 8),
                UInt8(truncatingIfNeeded: number),
                host: 0
            )
        }.first { !taken.contains($0) } ?? NetworkAddress(NetworkBook.seconds.lowerBound, 0, host: 0)
    }

    /// What is kept of a lab; an empty book where nothing is.
    static func read(_ lab: Name, in state: StateDirectory) throws -> NetworkBook {
        try DurableFile.readJSON(NetworkBook.self, from: state.networkBook(lab)) ?? NetworkBook()
    }

    /// Fills the book of a lab and keeps it; a lab without networks has none.
    ///
    /// The caller has the lock of the list of labs.
    static func update(_ lab: LabSpec, in state: StateDirectory) throws {
        var book = try read(lab.name, in: state)
        try book.fill(lab)
        try book.write(lab.name, in: state)
    }

    /// Keeps the book.
    func write(_ lab: Name, in state: StateDirectory) throws {
        guard !networks.isEmpty else { return }
        try DurableFile.writeJSON(self, to: state.networkBook(lab))
    }
}
