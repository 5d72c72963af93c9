public import KilnModel

/// A card for which libvirt has no words, as QEMU's monitor takes it.
public struct PassedCard: Sendable, Hashable {
    /// The arguments of `netdev_add`.
    public let network: [String: JSONValue]
    /// The arguments of `device_add`.
    public let device: [String: JSONValue]

    /// All such cards of a machine that is a clone; the same as those that a machine which boots has from its start.
    ///
    /// - Throws: `XMLError` of kind `socketPath` for a path that the kernel would refuse, `unexpected` for more cards than places.
    public static func all(of machine: MachineSpec) throws(XMLError) -> [PassedCard] {
        let ports = ClonePorts(machine)
        var cards: [PassedCard] = []
        if machine.network == .isolated {
            let network: [String: JSONValue] = ["type": "user", "restrict": true]
            cards.append(
                PassedCard(network, DomainDocument.networkAlias, machine.mac, port: ports.passedCard(0))
            )
        }
        guard machine.cards.count <= DomainDocument.labSlots.count else {
            throw XMLError(
                .unexpected,
                "a machine has at most \(DomainDocument.labSlots.count) cards on networks of its lab"
            )
        }
        for (index, card) in machine.cards.enumerated() {
            try DomainDocument.checkSocket(card.socket, of: "card's")
            try DomainDocument.checkSocket(card.port, of: "switch's")
            let network: [String: JSONValue] = [
                "type": "dgram", "local": ["type": "unix", "path": .string(card.socket)],
                "remote": ["type": "unix", "path": .string(card.port)],
            ]
            cards.append(PassedCard(network, "ua-lab\(index)", card.mac, port: ports.passedCard(cards.count)))
        }
        return cards
    }

    private init(_ network: [String: JSONValue], _ alias: String, _ mac: MACAddress, port: Int) {
        let netdev = JSONValue.string("host" + alias)
        self.network = network.merging(["id": netdev]) { $1 }
        device = [
            "driver": "virtio-net-pci", "netdev": netdev, "id": .string(alias), "mac": .string(mac.description),
            "bus": .string("pci.\(port)"), "romfile": "",
        ]
    }
}
