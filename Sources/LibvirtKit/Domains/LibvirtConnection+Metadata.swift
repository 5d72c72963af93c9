internal import CLibvirt

extension LibvirtConnection {
    /// Sets, replaces or (with nil) removes the one metadata element of a namespace.
    ///
    /// - Parameters:
    ///   - xml: one element without the namespace's prefix; libvirt adds it.
    ///   - namespace: the namespace's URI, which names the element.
    ///   - key: the prefix.
    ///   - name: the domain's name.
    ///   - scope: the running machine, the definition or both.
    /// - Throws: ``LibvirtError``: `noDomain`, `xmlError` or `xmlDetail`, `operationInvalid` when `live` and off.
    public func setMetadata(
        _ xml: String?,
        namespace: String,
        key: String,
        of name: String,
        scope: ChangeScope = .config
    ) throws(LibvirtError) {
        let operation = "set metadata of domain"
        for text in [xml ?? "", namespace, key] {
            try LibvirtError.requireCString(text, operation: operation, subject: name)
        }
        let domain = try lookUp(name, for: operation)
        let kind = Int32(bitPattern: VIR_DOMAIN_METADATA_ELEMENT.rawValue)
        try LibvirtError.check(
            virDomainSetMetadata(domain.pointer, kind, xml, key, namespace, scope.flags),
            operation: operation,
            subject: name
        )
    }

    /// The metadata element of a namespace; nil when the domain has none, which is not an error.
    ///
    /// Reads the running machine's where there is one, else the definition's.
    ///
    /// - Throws: ``LibvirtError``: `noDomain` when there is no such domain.
    public func metadata(namespace: String, of name: String) throws(LibvirtError) -> String? {
        let operation = "read metadata of domain"
        try LibvirtError.requireCString(namespace, operation: operation, subject: name)
        let domain = try lookUp(name, for: operation)
        let kind = Int32(bitPattern: VIR_DOMAIN_METADATA_ELEMENT.rawValue)
        do throws(LibvirtError) {
            return try LibvirtError.take(
                virDomainGetMetadata(domain.pointer, kind, namespace, 0),
                operation: operation,
                subject: name
            )
        } catch {
            guard error.code == .noDomainMetadata else { throw error }
            return nil
        }
    }
}
