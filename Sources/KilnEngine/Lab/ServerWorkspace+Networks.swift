import Foundation
import KilnModel
import KilnSystem

/// The cards of a machine on networks of its lab.
extension ServerWorkspace {
    /// The lab's addresses.
    func networkBook() throws -> NetworkBook { try NetworkBook.read(id.lab, in: state) }

    /// The server's address on a network.
    func address(on network: Name, in book: NetworkBook) throws -> NetworkAddress {
        guard let address = book.networks[network]?.addresses[try id.own(id.server)] else {
            throw KilnError(
                .stateMissing,
                "\(id) has no address on the network \(network): \(state.networkBook(id.lab))",
                hint: "'kiln up' gives it one",
                exit: .halted
            )
        }
        return address
    }

    /// The cards that a machine is made with.
    func cards(of record: GenerationRecord) throws -> [MachineSpec.Card] {
        try addresses(on: record.spec.networks).map { name, address in
            MachineSpec.Card(
                network: NetworkID(lab: id.lab, network: name),
                mac: MACAddress(of: address),
                socket: state.cardSocket(record.machine, on: name),
                port: state.portSocket(record.machine, on: name)
            )
        }
    }

    private func addresses(on networks: [Name]) throws -> [(Name, NetworkAddress)] {
        guard !networks.isEmpty else { return [] }
        let book = try networkBook()
        return try networks.map { ($0, try address(on: $0, in: book)) }
    }

    /// Plugs a machine into its networks, or changes whether frames pass there; a switch that has ended is started again.
    ///
    /// - Parameter isUp: whether the server's address becomes this machine's; no other machine has it then.
    func plug(_ machine: MachineID, isUp: Bool) async throws {
        for (name, address) in try addresses(on: try record(machine).spec.networks) {
            let port = SwitchPort(
                machine: machine,
                mac: MACAddress(of: address),
                address: address,
                socket: state.portSocket(machine, on: name),
                card: state.cardSocket(machine, on: name),
                isUp: isUp
            )
            try await parts.networks.change(NetworkID(lab: id.lab, network: name), [.plug(port)])
        }
    }

    /// Takes a machine that is off out of its networks.
    ///
    /// What can't be told to a switch now does no harm: the plug of the server's next machine takes the address away from this one.
    func unplug(_ machine: MachineID) async {
        for name in (try? record(machine))?.spec.networks ?? [] {
            let network = NetworkID(lab: id.lab, network: name)
            do {
                try await parts.networks.change(network, [.unplug(machine)])
            } catch {
                parts.progress(.note("\(machine) is still in \(network): \(KilnError.wrapping(error).message)"))
            }
            unlink(state.cardSocket(machine, on: name))
        }
    }

    /// Refuses an image in which nothing would set up the cards.
    func requireNetworkReader(_ spec: ServerSpec, _ image: ImageManifest) throws {
        guard !spec.networks.isEmpty, image.cloudInit == .none else { return }
        throw KilnError(
            .networkNoReader,
            "\(id) is on networks of its lab, but \(image.title) takes no metadata, so nothing in it would set up the cards",
            hint: "choose an image with cloud-init, or leave 'networks' out",
            exit: .aborted
        )
    }

    /// Says which names of its networks a machine that is kept does not know, since their servers were declared after it was made.
    func tellUnknownPeers(_ machine: MachineID) throws {
        let record = try record(machine)
        guard let known = record.peers else { return }
        let missing = Set(try networkBook().peers(on: record.spec.networks).values).subtracting(known).sorted()
        guard !missing.isEmpty else { return }
        let names = missing.map(\.text).joined(separator: ", ")
        parts.progress(
            .note(
                "\(machine) was made before \(names) and does not know the name: 'kiln replace \(id)' makes one that does"
            )
        )
    }
}
