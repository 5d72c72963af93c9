public import KilnModel

/// The document of one device, to attach it to a machine or to detach it; the same element as in the machine's document.
public enum DeviceDocument {
    /// The document of a disk of the machine.
    ///
    /// - Parameters:
    ///   - disk: the disk in its place; the place decides what is detached.
    ///   - machine: the machine that gets or has it, for the labels of its files.
    /// - Throws: `XMLError` of kind `unacceptableText` for a path that XML can't carry.
    public static func disk(_ disk: MachineDisk, of machine: MachineSpec) throws(XMLError) -> String {
        try disk.element(labels: FileLabels(machine)).serialized()
    }
}
