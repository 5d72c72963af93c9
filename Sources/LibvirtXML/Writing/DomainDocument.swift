internal import Foundation
public import KilnModel

/// The libvirt document of a machine (https://libvirt.org/formatdomain.html), for libvirt 9.0 and QEMU 7.2 on x86_64.
public enum DomainDocument {
    /// The id of the user-mode network in QEMU, for `hostfwd_add` and `hostfwd_remove`; the same in both modes.
    ///
    /// libvirt derives it from the alias of the card by putting `host` before it.
    public static let netdev = "host" + networkAlias

    /// The name of the virtio-serial port of the ledger in the guest: `/dev/virtio-ports/kiln.ledger`.
    public static let ledgerPort = "kiln.ledger"

    /// The name of the virtio-serial port of the guest agent.
    public static let agentPort = "org.qemu.guest_agent.0"

    /// The whole domain document of a machine.
    ///
    /// - Parameters:
    ///   - spec: the machine.
    ///   - emulator: the path of QEMU; nothing means that libvirt chooses.
    /// - Throws: `XMLError` of kind `unacceptableText` for a text that XML can't carry, `socketPath` for a socket path
    ///   that the kernel would refuse. Whether the files exist is not looked at.
    public static func xml(for spec: MachineSpec, emulator: String? = nil) throws(XMLError) -> String {
        try element(for: spec, emulator: emulator).serialized()
    }

    /// The id of the network card in QEMU, for `set_link`; the same in both modes.
    public static let networkAlias = "ua-net0"
    static let metadataNamespace = XMLElement.Namespace(prefix: "kiln", uri: "urn:kiln:machine:1")
    static let qemuNamespace = XMLElement.Namespace(
        prefix: "qemu",
        uri: "http://libvirt.org/schemas/domain/qemu/1.0"
    )

    private static func element(for spec: MachineSpec, emulator: String?) throws(XMLError) -> XMLElement {
        let labels = FileLabels(spec)
        var parts = [
            XMLElement("name", text: spec.id.domainName),
            XMLElement("uuid", text: spec.uuid.uuidString.lowercased()),
            // Empty: libvirt makes one up, by which the guest's kernel reseeds its random numbers.
            XMLElement("genid"),
            metadata(of: spec.id),
            XMLElement("memory", ["unit": "b"], text: String(spec.size.memory.bytes)),
            XMLElement("vcpu", text: String(spec.size.processors)),
        ]
        parts += boot(spec.boot, on: spec.platform) + processor(spec) + lifecycle
        parts.append(XMLElement("devices", try devices(of: spec, emulator: emulator, labels: labels)))
        parts += labels.domain
        parts += passed(try passedNetworks(of: spec) + cloning(of: spec))
        return XMLElement("domain", ["type": spec.platform.acceleration == .kvm ? "kvm" : "qemu"], parts)
    }

    private static func metadata(of id: MachineID) -> XMLElement {
        let member = id.member
        let machine = XMLElement(
            "machine",
            in: metadataNamespace,
            [
                "lab": member.lab.text, "server": member.server.text,
                // As before servers had several: that of the first has none.
                "member": member.ordinal == 0 ? nil : "\(member.ordinal)",
                "generation": id.generation.description,
            ]
        )
        return XMLElement("metadata", [machine])
    }

    /// A crash destroys the machine, so that it is seen as off for a reason instead of as running and silent.
    private static let lifecycle = [
        XMLElement("on_poweroff", text: "destroy"),
        XMLElement("on_reboot", text: "restart"),
        XMLElement("on_crash", text: "destroy"),
    ]
}
