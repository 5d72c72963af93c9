internal import CLibvirt
import Glibc

extension LibvirtConnection {
    /// All domains, active or not, in no particular order.
    ///
    /// - Throws: ``LibvirtError``. A domain that vanishes during the listing is left out and is not an error.
    public func domains() throws(LibvirtError) -> [DomainSnapshot] {
        var snapshots: [DomainSnapshot] = []
        try forEachDomain { domain throws(LibvirtError) in
            snapshots.append(try DomainSnapshot(reading: domain))
        }
        return snapshots
    }

    /// The state of every domain by its name, in one call however many there are.
    ///
    /// - Throws: ``LibvirtError`` where the hypervisor can't be asked.
    public func domainStates() throws(LibvirtError) -> [String: DomainState] {
        let operation = "read states of domains of"
        let connection = try connected(operation)
        var list: UnsafeMutablePointer<virDomainStatsRecordPtr?>?
        let count = try LibvirtError.check(
            virConnectGetAllDomainStats(connection, VIR_DOMAIN_STATS_STATE.rawValue, &list, 0),
            operation: operation,
            subject: uri.text
        )
        guard let list else { return [:] }
        defer { virDomainStatsRecordListFree(list) }
        var states: [String: DomainState] = [:]
        for index in 0..<Int(count) {
            guard let record = list[index]?.pointee, let name = virDomainGetName(record.dom) else { continue }
            var state: Int32 = 0
            // One that is going away just then has none.
            guard virTypedParamsGetInt(record.params, record.nparams, "state.state", &state) == 1 else { continue }
            states[String(cString: name)] = DomainState(number: state)
        }
        return states
    }

    /// One domain; nil when there is none of that name, which is not an error.
    ///
    /// - Throws: ``LibvirtError`` where it can't be found out, or where what is listed can't be read.
    public func domain(named name: String) throws(LibvirtError) -> DomainSnapshot? {
        try LibvirtError.requireCString(name, operation: "look up domain", subject: name)
        do throws(LibvirtError) {
            let domain = try lookUp(name, for: "look up domain")
            return try repeated { () throws(LibvirtError) in try DomainSnapshot(reading: domain) }
        } catch {
            // Why a look-up fails is told in numbers that differ between versions; the list tells what there is.
            guard try domainNames().contains(name) else { return nil }
            throw error
        }
    }

    private func domainNames() throws(LibvirtError) -> Set<String> {
        var names: Set<String> = []
        try forEachHandle { domain throws(LibvirtError) in names.insert(domain.name) }
        return names
    }

    /// The state of one domain.
    ///
    /// - Throws: ``LibvirtError``; `noDomain` when there is none of that name.
    public func domainState(named name: String) throws(LibvirtError) -> DomainState {
        try DomainSnapshot(reading: try lookUp(name, for: "read state of domain")).state
    }

    /// Which of a domain's two descriptions is meant.
    public enum XMLView: Sendable, Hashable {
        /// The running machine's, or the definition when off.
        case live
        /// The definition that the next start uses.
        case inactive
    }

    /// A domain's XML as libvirt completed it.
    ///
    /// - Throws: ``LibvirtError``; `noDomain` when there is none of that name.
    public func domainXML(named name: String, view: XMLView = .live) throws(LibvirtError) -> String {
        let operation = "read XML of domain"
        let domain = try lookUp(name, for: operation)
        let flags = view == .inactive ? VIR_DOMAIN_XML_INACTIVE.rawValue : 0
        return try repeated { () throws(LibvirtError) in
            try LibvirtError.take(
                virDomainGetXMLDesc(domain.pointer, flags),
                operation: operation,
                subject: name
            )
        }
    }

    /// Defines a domain, or redefines one of the same name and UUID, without starting it.
    ///
    /// The XML is first validated against libvirt's schema, which refuses misspelt elements that libvirt would else
    /// ignore.
    ///
    /// - Throws: ``LibvirtError``: `xmlDetail` (not well formed), `xmlInvalidSchema`, `xmlError`, `configUnsupported`,
    ///   `operationFailed` (the name exists with another UUID).
    @discardableResult
    public func defineDomain(xml: String) throws(LibvirtError) -> DomainSnapshot {
        let operation = "define domain on"
        try LibvirtError.requireCString(xml, operation: operation, subject: uri.text)
        let flags = VIR_DOMAIN_DEFINE_VALIDATE.rawValue
        let pointer = try LibvirtError.require(
            virDomainDefineXMLFlags(try connected(operation), xml, flags),
            operation: operation,
            subject: uri.text
        )
        return try DomainSnapshot(reading: DomainHandle(owning: pointer))
    }

    /// What else an undefine removes or keeps.
    public struct UndefineOptions: OptionSet, Sendable {
        /// libvirt's virDomainUndefineFlagsValues.
        public let rawValue: UInt32
        /// Any combination is accepted here; libvirt refuses contradictions.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Remove a saved memory image too; without it such a domain cannot be undefined.
        public static let managedSave = UndefineOptions(rawValue: 1 << 0)
        /// Remove the metadata of snapshots too.
        public static let snapshotsMetadata = UndefineOptions(rawValue: 1 << 1)
        /// Remove the firmware's variable store too.
        public static let nvram = UndefineOptions(rawValue: 1 << 2)
        /// Keep the firmware's variable store.
        public static let keepNVRAM = UndefineOptions(rawValue: 1 << 3)
    }

    /// Removes a domain's definition; a running machine goes on as a transient one.
    ///
    /// - Parameters:
    ///   - name: the domain's name.
    ///   - options: QEMU domains with firmware variables need `nvram` or `keepNVRAM`; the test driver knows neither.
    /// - Throws: ``LibvirtError``; `noDomain` when there is none of that name.
    public func undefineDomain(
        named name: String,
        options: UndefineOptions = [.managedSave, .snapshotsMetadata]
    ) throws(LibvirtError) {
        let operation = "undefine domain"
        let domain = try lookUp(name, for: operation)
        try LibvirtError.check(
            virDomainUndefineFlags(domain.pointer, options.rawValue),
            operation: operation,
            subject: name
        )
    }

    /// Reads, and once more where that failed: what is just changing may answer with an error once, and to read twice harms
    /// nobody.
    private func repeated<T>(_ read: () throws(LibvirtError) -> T) throws(LibvirtError) -> T {
        do throws(LibvirtError) { return try read() } catch { return try read() }
    }

    /// A handle for the scope of one call; looked up once more where that failed.
    func lookUp(_ name: String, for operation: String) throws(LibvirtError) -> DomainHandle {
        try LibvirtError.requireCString(name, operation: operation, subject: name)
        let connection = try connected(operation)
        // Not traced: what follows has the same operation, and tells how long it took.
        guard let pointer = virDomainLookupByName(connection, name) ?? virDomainLookupByName(connection, name) else {
            throw LibvirtSpan(operation, name).failed()
        }
        return DomainHandle(owning: pointer)
    }

    /// Visits every domain; one that vanishes while it is visited is passed over.
    ///
    /// - Parameter active: whether only those that have a machine are visited.
    func forEachDomain(
        active: Bool = false,
        _ body: (borrowing DomainHandle) throws(LibvirtError) -> Void
    ) throws(LibvirtError) {
        var failures: [(name: String, error: LibvirtError)] = []
        try forEachHandle(active: active) { domain throws(LibvirtError) in
            do throws(LibvirtError) {
                try repeated { () throws(LibvirtError) in try body(domain) }
            } catch {
                failures.append((domain.name, error))
            }
        }
        guard !failures.isEmpty else { return }
        let names = try domainNames()
        if let failure = failures.first(where: { names.contains($0.name) }) { throw failure.error }
    }

    private func forEachHandle(
        active: Bool = false,
        _ body: (borrowing DomainHandle) throws(LibvirtError) -> Void
    ) throws(LibvirtError) {
        let operation = "list domains of"
        let connection = try connected(operation)
        var list: UnsafeMutablePointer<virDomainPtr?>?
        let count = try LibvirtError.check(
            virConnectListAllDomains(connection, &list, active ? VIR_CONNECT_LIST_DOMAINS_ACTIVE.rawValue : 0),
            operation: operation,
            subject: uri.text
        )
        guard let list else { return }
        defer { free(list) }
        var failure: LibvirtError?
        for index in 0..<Int(count) {
            guard let pointer = list[index] else { continue }
            // Owned before anything can fail, so that every handle of the list is freed.
            let domain = DomainHandle(owning: pointer)
            guard failure == nil else { continue }
            do throws(LibvirtError) {
                try body(domain)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }
}
