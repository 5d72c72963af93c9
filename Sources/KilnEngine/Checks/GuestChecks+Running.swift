import KilnModel

// What only a running machine tells.
extension GuestChecks {
    func observations(of service: ServiceResource, _ limit: Duration) async throws -> [Observation] {
        let subject = "service \(service.name)"
        guard let said = try await told(["service", service.name], limit) else {
            return [.untold(subject, expected: "it is as described", "the guest has no systemd")]
        }
        let unit = UnitState(said)
        var seen: [Observation] = []
        if let enabled = service.enabled {
            seen.append(
                Observation(
                    subject,
                    "enabled",
                    expected: "\(enabled)",
                    found: "\(unit.isEnabled) (\(unit.fileWords))",
                    unit.isEnabled == enabled
                )
            )
        }
        if let running = service.running {
            seen.append(
                Observation(
                    subject,
                    "running",
                    expected: "\(running)",
                    found: "\(unit.isRunning) (\(unit.stateWords))",
                    unit.isRunning == running
                )
            )
        }
        return seen
    }

    func observations(of port: PortResource, _ limit: Duration) async throws -> [Observation] {
        let subject = "port \(port.socket)"
        guard let said = try await told(["sockets", port.transport.rawValue], limit) else {
            return [.untold(subject, expected: "something listens", "the guest has no /proc/net")]
        }
        let addresses = SocketTable.listeners(on: port, in: said)
        let listens = Observation.presence(subject, true, !addresses.isEmpty, as: "listening")
        guard !addresses.isEmpty else { return [listens] }
        return [listens] + Observation.values(subject, "ip", port.ip ?? [], addresses)
    }

    func observations(of process: ProcessResource, _ limit: Duration) async throws -> [Observation] {
        let subject = "process \(process.name)"
        guard let said = try await told(["processes"], limit), let names = ProcessTable.names(in: said) else {
            return [.untold(subject, expected: "it is as described", "the guest has no /proc")]
        }
        let count = names.count { $0 == process.name }
        let runs = Observation.presence(subject, process.running, count > 0, as: "running")
        guard let expected = process.count else { return [runs] }
        return [runs, .number(subject, "count", expected, count)]
    }

    func observations(of command: CommandResource, _ limit: Duration) async throws -> [Observation] {
        let subject = "command \(command.title)"
        let result = try await guests.run(GuestCommand(command.run, deadline: limit), in: machine)
        let isMet = command.exitStatus.holds(for: Int(result.status))
        let isDamaged = !isMet && result.status == Self.dataDamaged
        let said = isMet || result.errors.isEmpty ? "" : " \(GuestText.line(result.errors))"
        let ended = Observation(
            subject,
            "exit-status",
            expected: "\(command.exitStatus)",
            found: "\(result.status)\(said)",
            verdict: isMet ? .holds : isDamaged ? .damaged : .fails
        )
        return [ended] + Observation.text(subject, "stdout", command.stdout ?? [], result.output)
            + Observation.text(subject, "stderr", command.stderr ?? [], result.errors)
    }

    func observations(of mount: MountResource, _ limit: Duration) async throws -> [Observation] {
        let subject = "mount \(mount.path)"
        guard let said = try await told(["mounts"], limit) else {
            return [.untold(subject, expected: "it is as described", "the guest has no /proc/mounts")]
        }
        let found = MountTable.top(at: mount.path, in: said)
        let presence = Observation.presence(subject, mount.exists, found != nil)
        guard let found, mount.exists else { return [presence] }
        var seen = [presence]
        if let source = mount.source { seen.append(.value(subject, "source", source, [found.source], "")) }
        if let kind = mount.filesystem { seen.append(.value(subject, "filesystem", kind, [found.kind], "")) }
        return seen + Observation.values(subject, "opts", mount.opts ?? [], found.options)
    }

    /// What the script says; nothing where the guest has not what would tell it.
    func told(_ arguments: [String], _ limit: Duration) async throws -> [UInt8]? {
        let result = try await guests.ask(arguments, in: machine, within: limit)
        return result.status == 0 ? result.output : nil
    }
}
