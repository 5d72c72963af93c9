internal import CLibvirt

extension LibvirtConnection {
    /// The listing after libvirt has reconnected to every machine it knows.
    ///
    /// A driver that has just started lists what its state files say and reconnects to each machine in a thread of its
    /// own: until then a dead QEMU may be listed as running. During the reconnect the machine's control interface is
    /// taken by a job, so this re-reads until every active domain's interface is free (or broken for good), then lists.
    ///
    /// - Throws: ``DeadlineExceeded`` when a domain stays busy, which a long job of another client also causes;
    ///   ``LibvirtError``; `CancellationError`.
    public func settledDomains(within limit: Duration) async throws -> [DomainSnapshot] {
        let end = ContinuousClock.now.advanced(by: limit)
        while let busy = try firstBusyDomain() {
            guard ContinuousClock.now < end else {
                throw DeadlineExceeded(operation: "wait for libvirt to settle domain '\(busy)'", limit: limit)
            }
            // libvirt has no event for the end of a reconnect, hence the polling.
            try await Task.sleep(for: .milliseconds(20))
        }
        return try domains()
    }

    /// The name of a domain whose control interface is taken by a job.
    private func firstBusyDomain() throws(LibvirtError) -> String? {
        var busy: String?
        try forEachDomain { domain throws(LibvirtError) in
            guard busy == nil, virDomainIsActive(domain.pointer) == 1 else { return }
            var info = virDomainControlInfo()
            // A reconnect is told as a state. No answer comes from a machine that has just ended, and from a driver
            // without reconnects; both are settled.
            guard virDomainGetControlInfo(domain.pointer, &info, 0) == 0 else { return }
            if info.state == VIR_DOMAIN_CONTROL_JOB.rawValue || info.state == VIR_DOMAIN_CONTROL_OCCUPIED.rawValue {
                busy = domain.name
            }
        }
        return busy
    }
}
