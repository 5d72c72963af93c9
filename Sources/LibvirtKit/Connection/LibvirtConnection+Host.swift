internal import CLibvirt

extension LibvirtConnection {
    /// The version of the libvirt library in this process.
    public static var libraryVersion: LibvirtVersion {
        var number: UInt = 0
        virGetVersion(&number, nil, nil)
        return LibvirtVersion(number: number)
    }

    /// Whether the connection still works; false also after a close.
    public func isAlive() -> Bool {
        guard let pointer else { return false }
        return virConnectIsAlive(pointer) == 1
    }

    /// The hypervisor's version (QEMU's, not libvirt's).
    ///
    /// - Throws: ``LibvirtError``.
    public func hypervisorVersion() throws(LibvirtError) -> LibvirtVersion {
        let operation = "read hypervisor version of"
        var number: UInt = 0
        try LibvirtError.check(
            virConnectGetVersion(try connected(operation), &number),
            operation: operation,
            subject: uri.text
        )
        return LibvirtVersion(number: number)
    }

    /// The host's capabilities, as libvirt's `<capabilities>` XML.
    ///
    /// That it lists KVM is no proof that KVM works.
    ///
    /// - Throws: ``LibvirtError``.
    public func capabilities() throws(LibvirtError) -> String {
        let operation = "read capabilities of"
        return try LibvirtError.take(
            virConnectGetCapabilities(try connected(operation)),
            operation: operation,
            subject: uri.text
        )
    }

    /// What a domain of the given kind could use, as libvirt's `<domainCapabilities>` XML; nil means libvirt's choice.
    ///
    /// - Parameters:
    ///   - emulator: the absolute path of the emulator.
    ///   - architecture: such as "x86_64".
    ///   - machine: such as "q35".
    ///   - virtualization: "qemu" (TCG) or "kvm".
    /// - Throws: ``LibvirtError``; `noSupport` on the test driver.
    public func domainCapabilities(
        emulator: String? = nil,
        architecture: String? = nil,
        machine: String? = nil,
        virtualization: String? = nil
    ) throws(LibvirtError) -> String {
        let operation = "read domain capabilities of"
        return try LibvirtError.take(
            virConnectGetDomainCapabilities(
                try connected(operation),
                emulator,
                architecture,
                machine,
                virtualization,
                0
            ),
            operation: operation,
            subject: uri.text
        )
    }
}
