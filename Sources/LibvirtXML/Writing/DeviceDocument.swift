public import KilnModel

/// The document of one device, to attach it to a machine or to detach it; the same element as in the machine's document.
public enum DeviceDocument {
    /// The document of a disk of the machine.
    ///
    /// - Parameters:
    ///   - disk: the disk in its place; the place decides what is detached.
    ///   - machine: the machine that gets or has it, for the labels of its files.
    ///   - port: where it is plugged in; nothing means where libvirt finds room.
    /// - Throws: `XMLError` of kind `unacceptableText` for a path that XML can't carry.
    public static func disk(
        _ disk: MachineDisk,
        of machine: MachineSpec,
        port: Int? = nil
    ) throws(XMLError) -> String {
        try disk.element(labels: FileLabels(machine), port: port).serialized()
    }

    /// The document of the machine's card on the open network, behind a port.
    public static func card(of machine: MachineSpec, port: Int) throws(XMLError) -> String {
        try DomainDocument.card(of: machine, at: DomainDocument.port(port)).serialized()
    }
}
