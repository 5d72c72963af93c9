import KilnEngine
import KilnModel
import KilnSystem
import LibvirtKit

extension LibvirtMachines {
    /// Starts the machine standing still, publishes its ports, and lets it run; without ports it just starts.
    ///
    /// Of a machine that is on already the published ports become exactly `forwards`, and it is let run.
    ///
    /// - Throws: `port.taken` naming the port and its holder, `machine.absent`; what this call started is off again then.
    public func start(_ machine: MachineID, forwards: [PortForward]) async throws {
        let name = machine.domainName
        let isNew = try await session.change(subject(machine)) { connection in
            guard let domain = try await connection.domain(named: name) else {
                throw KilnError(.machineAbsent, "machine \(machine) is not defined, so it can't be started")
            }
            if domain.isActive { return false }
            try await LibvirtMachines.achieve {
                try await connection.startDomain(named: name, paused: !forwards.isEmpty)
            } unless: {
                try await connection.domain(named: name)?.isActive == true
            }
            return true
        }
        do {
            try await session.change(subject(machine)) { connection in
                try await UserNetwork.publish(forwards, of: name, isNew: isNew, on: connection)
                guard try await connection.domain(named: name)?.state == .paused else { return }
                try await LibvirtMachines.achieve {
                    try await connection.resumeDomain(named: name)
                } unless: {
                    try await connection.domain(named: name)?.state != .paused
                }
            }
        } catch {
            if isNew { try await ended(machine, after: error) }
            throw error
        }
    }

    /// Plugs the cable of the user network in, or out.
    ///
    /// - Throws: `machine.link-unchanged` where QEMU says anything to it; else as the other methods.
    public func setLink(of machine: MachineID, isUp: Bool) async throws {
        try await session.change(subject(machine)) { connection in
            try await UserNetwork.setLink(isUp: isUp, of: machine.domainName, on: connection)
        }
    }

    /// Presses the power button and asks the agent; some guests listen only to one of them.
    ///
    /// Whether either was heard shows when the machine is off; libvirt's answers differ between versions, above all those
    /// about an agent that goes down with its guest.
    ///
    /// - Returns: what libvirt said against it; nothing where it had no objection.
    /// - Throws: only where the hypervisor can't be reached.
    public func requestShutdown(_ machine: MachineID) async throws -> String? {
        let name = machine.domainName
        return try await session.change(subject(machine)) { connection in
            var objections: [String] = []
            do throws(LibvirtError) {
                try await connection.shutdownDomain(named: name, mode: .acpiPowerButton)
            } catch {
                objections.append(Printable.text(error.message.utf8))
            }
            do throws(LibvirtError) {
                // The agent gives no answer to this one. So it is not waited for longer than the shortest time, which
                // the guest's end cuts short.
                let command = #"{"execute":"guest-shutdown","arguments":{"mode":"powerdown"}}"#
                _ = try await connection.agentCommand(command, of: name, timeout: .seconds(1))
            } catch {
                objections.append(Printable.text(error.message.utf8))
                guard await !connection.isLost else { throw error }
            }
            return objections.isEmpty ? nil : objections.joined(separator: "; ")
        }
    }

    /// Ends the machine without asking the guest; returns when it is off.
    public func powerOff(_ machine: MachineID) async throws {
        let name = machine.domainName
        try await session.change(subject(machine)) { connection in
            // It may also end by itself meanwhile; what counts is what is true then.
            try await connection.destroyDomain(named: name)
        }
    }

    /// Restarts the guest through the agent or, where none is connected, the power button.
    public func reboot(_ machine: MachineID) async throws {
        try await session.change(subject(machine)) { connection in
            try await connection.rebootDomain(named: machine.domainName)
        }
    }

    /// Waits until the machine is off or absent; false if it is still on at the deadline.
    public func waitUntilOff(_ machine: MachineID, within deadline: Duration) async throws -> Bool {
        let end = ContinuousClock.now + deadline
        while true {
            // Subscribe first, then look: so no end of the machine is missed.
            let news = try await session.read(subject(machine)) { try await $0.events() }
            guard try await state(of: machine).isAlive else { return true }
            guard ContinuousClock.now < end else { return false }
            await news.first(of: machine.domainName, until: end) { kind in
                if case .stopped = kind { true } else { false }
            }
        }
    }

    /// Ends a machine whose start failed, also where the task was cancelled: nothing may run that nobody knows of.
    private func ended(_ machine: MachineID, after error: any Error) async throws {
        let failure = await Task { try await powerOff(machine) }.result
        if case .failure(let second) = failure {
            throw KilnError(
                .machineNotOff,
                "machine \(machine) was started in part and can't be ended again",
                hint: "run 'kiln doctor', then the command again",
                cause: "\(error); then: \(second)",
                exit: .unreachable
            )
        }
    }

    /// Acts, and where libvirt reports a failure, judges by what is true: error numbers differ between its versions, and
    /// some come after the deed.
    static func achieve(_ act: () async throws -> Void, unless isDone: () async throws -> Bool) async throws {
        do {
            try await act()
        } catch let error as LibvirtError {
            guard try await isDone() else { throw error }
        }
    }
}
