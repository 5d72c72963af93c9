internal import CLibvirt
import KilnSystem

extension LibvirtConnection {
    /// Returns once libvirt has reconnected to every machine it knows.
    ///
    /// A driver that has just started lists what its state files say and reconnects to each machine in a thread of its
    /// own: until then a dead QEMU may be listed as running. During the reconnect the machine's control interface is
    /// taken by a job, so this re-reads until every active domain's interface is free (or broken for good).
    ///
    /// - Throws: ``DeadlineExceeded`` when a domain stays busy, which a long job of another client also causes;
    ///   ``LibvirtError``; `CancellationError`.
    public func settle(within limit: Duration) async throws {
        let end = ContinuousClock.now.advanced(by: limit)
        while let busy = try firstBusyDomain() {
            guard ContinuousClock.now < end else {
                throw DeadlineExceeded(operation: "wait for libvirt to settle domain '\(busy)'", limit: limit)
            }
            // libvirt has no event for the end of a reconnect, hence the polling.
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// The name of a domain whose control interface is taken by a job.
    private func firstBusyDomain() throws(LibvirtError) -> String? {
        var busy: String?
        try forEachDomain(active: true) { domain throws(LibvirtError) in
            let (name, pointer) = (domain.name, domain.pointer)
            guard busy == nil else { return }
            var info = virDomainControlInfo()
            do throws(LibvirtError) {
                try LibvirtError.check(
                    virDomainGetControlInfo(pointer, &info, 0),
                    operation: "read control state of domain",
                    subject: name
                )
            } catch {
                // A reconnect is told as a state. No answer comes from a machine that has just ended, and from a driver
                // without reconnects; both are settled.
                return
            }
            if info.state == VIR_DOMAIN_CONTROL_JOB.rawValue || info.state == VIR_DOMAIN_CONTROL_OCCUPIED.rawValue {
                busy = name
            }
        }
        return busy
    }
}
