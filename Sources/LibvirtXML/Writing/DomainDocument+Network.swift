internal import KilnModel

extension DomainDocument {
    /// The card on a user-mode network that reaches the host's loopback and whatever the host reaches.
    static func openNetwork(of spec: MachineSpec) -> [XMLElement] {
        guard spec.network == .open else { return [] }
        let card = XMLElement(
            "interface",
            ["type": "user"],
            [
                XMLElement("mac", ["address": spec.mac.description]),
                XMLElement("model", ["type": "virtio"]),
                // Nothing boots from the network, and the firmware would spend time on the card's own program.
                XMLElement("rom", ["enabled": "no"]),
                XMLElement("alias", ["name": networkAlias]),
                Slot.network.address,
            ]
        )
        return [card]
    }

    /// The same card, in the same slot and under the same names, on a network that only published ports cross.
    ///
    /// libvirt has no word for QEMU's `restrict`, so the card is passed to QEMU behind libvirt's back.
    static func isolatedNetwork(of spec: MachineSpec) -> [XMLElement] {
        guard spec.network == .isolated else { return [] }
        let card =
            "virtio-net-pci,netdev=\(netdev),id=\(networkAlias),mac=\(spec.mac),bus=pcie.0"
            + ",addr=\(Slot.network.rawValue),romfile="
        let arguments = ["-netdev", "user,id=\(netdev),restrict=on", "-device", card]
        return [
            XMLElement(
                "commandline",
                in: qemuNamespace,
                arguments.map { XMLElement("arg", in: qemuNamespace, ["value": $0]) }
            )
        ]
    }
}
