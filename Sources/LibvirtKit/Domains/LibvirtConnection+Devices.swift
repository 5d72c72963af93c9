internal import CLibvirt

extension LibvirtConnection {
    /// What a change touches.
    public enum ChangeScope: Sendable, Hashable {
        /// The running machine only.
        case live
        /// The definition only; it counts from the next start.
        case config
        /// Both.
        case both

        var flags: UInt32 {
            switch self {
            case .live: VIR_DOMAIN_AFFECT_LIVE.rawValue
            case .config: VIR_DOMAIN_AFFECT_CONFIG.rawValue
            case .both: VIR_DOMAIN_AFFECT_LIVE.rawValue | VIR_DOMAIN_AFFECT_CONFIG.rawValue
            }
        }
    }

    /// Attaches a device.
    ///
    /// - Parameters:
    ///   - xml: one device element, such as `<disk>`.
    ///   - name: the domain's name.
    ///   - scope: the running machine, the definition or both.
    /// - Throws: ``LibvirtError``: `noDomain`, `operationInvalid` when `live` and off, `xmlError`, `operationFailed`
    ///   (the target is taken), `internalError` with QEMU's words.
    public func attachDevice(xml: String, to name: String, scope: ChangeScope) throws(LibvirtError) {
        let operation = "attach device to domain"
        try LibvirtError.requireCString(xml, operation: operation, subject: name)
        let domain = try lookUp(name, for: operation)
        try LibvirtError.check(
            virDomainAttachDeviceFlags(domain.pointer, xml, scope.flags),
            operation: operation,
            subject: name
        )
    }

    /// Asks for the removal of the device that the XML describes.
    ///
    /// On a running machine the guest must cooperate: the return may precede the removal. Subscribe to ``events(bufferingNewest:)``
    /// first and await `deviceRemoved` or `deviceRemovalFailed`, with a deadline; or re-read the live XML.
    ///
    /// - Throws: ``LibvirtError``: `noDomain`, `operationFailed` or `deviceMissing` when there is no such device.
    public func detachDevice(xml: String, from name: String, scope: ChangeScope) throws(LibvirtError) {
        let operation = "detach device from domain"
        try LibvirtError.requireCString(xml, operation: operation, subject: name)
        let domain = try lookUp(name, for: operation)
        try LibvirtError.check(
            virDomainDetachDeviceFlags(domain.pointer, xml, scope.flags),
            operation: operation,
            subject: name
        )
    }

    /// Asks for the removal of the device with an alias; see ``detachDevice(xml:from:scope:)``.
    ///
    /// libvirt answers at once, so the removal's event is the only news.
    ///
    /// - Throws: ``LibvirtError``; `noSupport` on the test driver.
    public func detachDevice(alias: String, from name: String, scope: ChangeScope) throws(LibvirtError) {
        let operation = "detach device from domain"
        try LibvirtError.requireCString(alias, operation: operation, subject: name)
        let domain = try lookUp(name, for: operation)
        try LibvirtError.check(
            virDomainDetachDeviceAlias(domain.pointer, alias, scope.flags),
            operation: operation,
            subject: name
        )
    }
}
