internal import CLibvirt

extension LibvirtConnection {
    /// Starts a defined domain.
    ///
    /// - Parameters:
    ///   - name: the domain's name.
    ///   - paused: create the machine with its processors standing still.
    /// - Throws: ``LibvirtError``: `noDomain`; `operationInvalid` when it runs already; `internalError` with QEMU's own
    ///   words when QEMU refuses.
    public func startDomain(named name: String, paused: Bool = false) throws(LibvirtError) {
        let flags = paused ? VIR_DOMAIN_START_PAUSED.rawValue : 0
        try act("start domain", on: name) { virDomainCreateWithFlags($0, flags) }
    }

    /// Starts a domain that nothing is left of once it has ended.
    ///
    /// - Parameter xml: its document, which is validated as a definition is.
    /// - Throws: as ``defineDomain(xml:)`` and ``startDomain(named:paused:)``.
    public func createDomain(xml: String) throws(LibvirtError) {
        let operation = "create domain on"
        try LibvirtError.requireCString(xml, operation: operation, subject: uri.text)
        let pointer = try LibvirtError.require(
            virDomainCreateXML(try connected(operation), xml, VIR_DOMAIN_START_VALIDATE.rawValue),
            operation: operation,
            subject: uri.text
        )
        _ = DomainHandle(owning: pointer)
    }

    /// Lets a paused machine go on.
    ///
    /// - Throws: ``LibvirtError``: `noDomain`, `operationInvalid` when it is off. A machine that runs is not an error.
    public func resumeDomain(named name: String) throws(LibvirtError) {
        try act("resume domain", on: name) { virDomainResume($0) }
    }

    /// Stops a machine's processors; memory and devices stay.
    ///
    /// - Throws: ``LibvirtError``: `noDomain`, `operationInvalid` when it is off. A paused machine is not an error.
    public func suspendDomain(named name: String) throws(LibvirtError) {
        try act("suspend domain", on: name) { virDomainSuspend($0) }
    }

    /// How a guest is asked to shut down or to reboot.
    public enum ShutdownMode: Sendable, Hashable {
        /// The agent where one is connected, else ACPI.
        case hypervisorChoice
        /// The virtual power button.
        case acpiPowerButton
        /// The guest agent.
        case guestAgent
    }

    /// Asks the guest to shut down; the return says that it was asked, not that it is off.
    ///
    /// Await the `stopped` event, or re-read the state, with a deadline. Runs on the domain's lane, because the agent
    /// may take up to 60 s.
    ///
    /// - Throws: ``LibvirtError``: `noDomain`, `operationInvalid` when off, `agentUnresponsive`.
    public func shutdownDomain(
        named name: String,
        mode: ShutdownMode = .hypervisorChoice
    ) async throws(LibvirtError) {
        let flags: UInt32 =
            switch mode {
            case .hypervisorChoice: VIR_DOMAIN_SHUTDOWN_DEFAULT.rawValue
            case .acpiPowerButton: VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN.rawValue
            case .guestAgent: VIR_DOMAIN_SHUTDOWN_GUEST_AGENT.rawValue
            }
        _ = try await onLane("shut down domain", of: name) { domain, operation throws(LibvirtError) in
            let pointer = domain.pointer
            return try LibvirtError.check(
                virDomainShutdownFlags(pointer, flags),
                operation: operation,
                subject: name
            )
        }
    }

    /// Asks the guest to reboot; the return says that it was asked.
    ///
    /// - Throws: as ``shutdownDomain(named:mode:)``.
    public func rebootDomain(
        named name: String,
        mode: ShutdownMode = .hypervisorChoice
    ) async throws(LibvirtError) {
        let flags: UInt32 =
            switch mode {
            case .hypervisorChoice: VIR_DOMAIN_REBOOT_DEFAULT.rawValue
            case .acpiPowerButton: VIR_DOMAIN_REBOOT_ACPI_POWER_BTN.rawValue
            case .guestAgent: VIR_DOMAIN_REBOOT_GUEST_AGENT.rawValue
            }
        _ = try await onLane("reboot domain", of: name) { domain, operation throws(LibvirtError) in
            let pointer = domain.pointer
            return try LibvirtError.check(virDomainReboot(pointer, flags), operation: operation, subject: name)
        }
    }

    /// Ends a machine from the host, like pulling the plug.
    ///
    /// A transient domain is then gone.
    ///
    /// Right after a connect the QEMU driver may answer "domain not found" although the machine does die. So an error
    /// counts only if the machine is still on five seconds later.
    ///
    /// - Parameters:
    ///   - name: the domain's name.
    ///   - graceful: SIGTERM only; QEMU gets to flush its caches, and where it does not end in time this fails.
    /// - Throws: ``LibvirtError`` where the machine is still on. One that is off, or not there, is no error.
    public func destroyDomain(named name: String, graceful: Bool = false) async throws(LibvirtError) {
        guard let present = try self.domain(named: name), present.isActive else { return }
        let operation = "destroy domain"
        let domain = try lookUp(name, for: operation)
        let flags = graceful ? VIR_DOMAIN_DESTROY_GRACEFUL.rawValue : VIR_DOMAIN_DESTROY_DEFAULT.rawValue
        do throws(LibvirtError) {
            try LibvirtError.check(virDomainDestroyFlags(domain.pointer, flags), operation: operation, subject: name)
        } catch {
            let end = ContinuousClock.now.advanced(by: .seconds(5))
            while let snapshot = try self.domain(named: name), snapshot.isActive {
                guard ContinuousClock.now < end else { throw error }
                // The reconnect that may cause this has no event of its own. Cancelled, the loop merely re-reads faster.
                try? await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    private func act(
        _ operation: String,
        on name: String,
        _ call: (virDomainPtr) -> Int32
    ) throws(LibvirtError) {
        let domain = try lookUp(name, for: operation)
        try LibvirtError.check(call(domain.pointer), operation: operation, subject: name)
    }
}
