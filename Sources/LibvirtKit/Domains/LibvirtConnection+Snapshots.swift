internal import CLibvirt

extension LibvirtConnection {
    /// Lets a running domain go on writing to other files, which exist already and lie over those that it writes to now.
    ///
    /// All disks that the document names change together or none does, and libvirt keeps no record of a snapshot. Where the
    /// definition has the same files, it follows.
    ///
    /// - Parameters:
    ///   - xml: a `<domainsnapshot>` that says `external` or `no` for each disk.
    ///   - name: the domain's name.
    /// - Throws: ``LibvirtError``: `noDomain`, `operationInvalid` when off, `xmlError`, `configUnsupported`, `internalError`
    ///   with QEMU's words.
    public func switchDisks(xml: String, of name: String) throws(LibvirtError) {
        let operation = "switch disks of domain"
        try LibvirtError.requireCString(xml, operation: operation, subject: name)
        let domain = try lookUp(name, for: operation)
        let flags =
            VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY.rawValue | VIR_DOMAIN_SNAPSHOT_CREATE_REUSE_EXT.rawValue
            | VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA.rawValue | VIR_DOMAIN_SNAPSHOT_CREATE_ATOMIC.rawValue
        virDomainSnapshotFree(
            try LibvirtError.require(
                virDomainSnapshotCreateXML(domain.pointer, xml, flags),
                operation: operation,
                subject: name
            )
        )
    }
}
