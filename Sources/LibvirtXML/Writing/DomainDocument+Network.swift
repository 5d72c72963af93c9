internal import KilnModel

extension DomainDocument {
    /// The card on a user-mode network that reaches the host's loopback and whatever the host reaches.
    static func openNetwork(of spec: MachineSpec) -> [XMLElement] {
        spec.network == .open ? [card(of: spec, at: Slot.network.address)] : []
    }

    /// That card, in a place.
    static func card(of spec: MachineSpec, at address: XMLElement) -> XMLElement {
        XMLElement(
            "interface",
            ["type": "user"],
            [
                XMLElement("mac", ["address": spec.mac.description]),
                XMLElement("model", ["type": "virtio"]),
                // Nothing boots from the network, and the firmware would spend time on the card's own program.
                XMLElement("rom", ["enabled": "no"]),
                XMLElement("alias", ["name": networkAlias]),
                address,
            ]
        )
    }

    /// The cards for which libvirt has no words: they are passed to QEMU behind libvirt's back.
    ///
    /// - Throws: `XMLError` of kind `socketPath` for a path that the kernel would refuse, `unexpected` for more cards than places.
    static func passedNetworks(of spec: MachineSpec) throws(XMLError) -> [String] {
        guard spec.cloning == nil else { return [] }
        var arguments = isolatedNetwork(of: spec)
        for (index, card) in spec.cards.enumerated() { arguments += try labNetwork(card, index) }
        return arguments
    }

    /// Arguments that are passed to QEMU behind libvirt's back.
    static func passed(_ arguments: [String]) -> [XMLElement] {
        guard !arguments.isEmpty else { return [] }
        return [
            XMLElement(
                "commandline",
                in: qemuNamespace,
                arguments.map { XMLElement("arg", in: qemuNamespace, ["value": $0]) }
            )
        ]
    }

    // The same card as in the open network, in the same slot and under the same names, on a network that only published ports
    // cross.
    private static func isolatedNetwork(of spec: MachineSpec) -> [String] {
        guard spec.network == .isolated else { return [] }
        let device = device(netdev, networkAlias, spec.mac, Slot.network.rawValue)
        return ["-netdev", "user,id=\(netdev),restrict=on", "-device", device]
    }

    // QEMU sends every frame to the switch's path, and needs nobody to listen there: so a switch can be away for a moment.
    private static func labNetwork(_ card: MachineSpec.Card, _ index: Int) throws(XMLError) -> [String] {
        try checkSocket(card.socket, of: "card's")
        try checkSocket(card.port, of: "switch's")
        guard index < labSlots.count else {
            throw XMLError(.unexpected, "a machine has at most \(labSlots.count) cards on networks of its lab")
        }
        let netdev = "hostua-lab\(index)"
        let sockets =
            "local.type=unix,local.path=\(quoted(card.socket)),remote.type=unix,remote.path=\(quoted(card.port))"
        let device = device(netdev, "ua-lab\(index)", card.mac, labSlots[index])
        return ["-netdev", "dgram,id=\(netdev),\(sockets)", "-device", device]
    }

    // libvirt's ports grow from the other end of the bus, eight to a slot.
    static let labSlots = ["0x17", "0x16", "0x15", "0x14", "0x13", "0x12", "0x11", "0x10"]

    private static func device(_ netdev: String, _ id: String, _ mac: MACAddress, _ slot: String) -> String {
        "virtio-net-pci,netdev=\(netdev),id=\(id),mac=\(mac),bus=pcie.0,addr=\(slot),romfile="
    }

    // A comma ends a value of QEMU's, and two are one.
    static func quoted(_ path: String) -> String {
        path.split(separator: ",", omittingEmptySubsequences: false).joined(separator: ",,")
    }
}
