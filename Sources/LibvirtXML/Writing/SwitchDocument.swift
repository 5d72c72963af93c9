/// The document by which a running machine goes on writing to another file for one of its disks.
public enum SwitchDocument {
    /// A `<domainsnapshot>` that moves one disk to a qcow2 file that exists, and leaves all others alone.
    ///
    /// - Parameters:
    ///   - target: libvirt's name of the disk, such as `vdc`.
    ///   - file: the file that it goes on with.
    ///   - others: the names of all other disks of the domain.
    /// - Throws: `XMLError` of kind `unacceptableText` for a path that XML can't carry.
    public static func xml(moving target: String, to file: String, others: [String]) throws(XMLError) -> String {
        let moved = XMLElement(
            "disk",
            ["name": target, "snapshot": "external", "type": "file"],
            [XMLElement("driver", ["type": "qcow2"]), XMLElement("source", ["file": file])]
        )
        let left = others.map { XMLElement("disk", ["name": $0, "snapshot": "no"]) }
        return try XMLElement("domainsnapshot", [XMLElement("disks", [moved] + left)]).serialized()
    }
}
