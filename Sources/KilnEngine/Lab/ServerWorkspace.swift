import Foundation
import KilnModel

/// One server at work: its paths, journal and volumes, and what can be done to one of its machines.
///
/// Whoever changes something through it holds the server's lock.
struct ServerWorkspace: Sendable {
    let id: ServerID
    let state: StateDirectory
    let parts: EngineParts

    var journal: ServerJournal { ServerJournal(path: state.server(id) + "/journal") }
    var volumes: VolumeStore { VolumeStore(state: state, disks: parts.disks, holders: parts.holders) }

    /// Takes the server's lock, or throws `lock.held`.
    func lock() throws -> FileLock {
        try DurableFile.makeDirectory(state.server(id))
        return try FileLock(state.server(id) + "/lock", subject: "server \(id)")
    }

    /// What a generation was made from.
    func record(_ machine: MachineID) throws -> GenerationRecord {
        let path = state.generation(machine) + "/generation.json"
        guard let record = try DurableFile.readJSON(GenerationRecord.self, from: path) else {
            throw KilnError("state.missing", "there is no record of \(machine): \(path)", exit: .halted)
        }
        return record
    }

    /// The volumes that a machine mounts.
    func volumeNames(of machine: MachineID) throws -> [Name] { try record(machine).spec.volumes.keys.sorted() }

    /// The published ports of a machine.
    func forwards(of machine: MachineID) throws -> [PortForward] {
        try portBook().forwards(of: id.server, spec: try record(machine).spec)
    }

    /// The lab's published ports.
    func portBook() throws -> PortBook {
        try DurableFile.readJSON(PortBook.self, from: state.lab(id.lab) + "/ports.json") ?? PortBook()
    }

    // MARK: - Machines

    /// Makes overlay and domain of a machine whose record and seed were written, without the volumes.
    func prepare(_ machine: MachineID) async throws {
        let record = try record(machine)
        try await parts.disks.createLayer(at: state.rootOverlay(machine), over: record.files.disk)
        try parts.disks.giveToMachines(state.rootOverlay(machine))
        try await parts.machines.define(try definition(record, withVolumes: false))
    }

    /// Starts a machine with its volumes and published ports; one that runs already is left as it is, and one that is paused
    /// goes on.
    func start(_ machine: MachineID) async throws {
        let machineState = try await parts.machines.state(of: machine)
        if machineState == .running { return }
        // A kiln that was killed in here leaves it paused, before its first instruction; a write error pauses it too.
        if machineState == .paused {
            return try await parts.machines.start(machine, forwards: try forwards(of: machine))
        }
        guard !machineState.isAlive else {
            throw KilnError(
                "machine.stuck",
                "\(machine) can't be started: it has a process already, which is \(machineState.rawValue)",
                hint: "end it first: 'kiln stop --force \(id)'",
                exit: .blocked
            )
        }
        let record = try record(machine)
        for name in record.spec.volumes.keys.sorted() { try volumes.prepareToStart(lab: id.lab, name) }
        try removeSockets(machine)
        try await parts.machines.define(try definition(record, withVolumes: true))
        try await parts.machines.start(machine, forwards: try forwards(of: machine))
    }

    /// Waits until a machine is ready.
    func awaitReady(_ machine: MachineID) async throws {
        let spec = try record(machine).spec
        let waiter = ReadinessWaiter(
            parts: parts,
            machine: machine,
            spec: spec,
            forwards: try portBook().ports[id.server] ?? [:],
            console: ConsoleLog(path: state.consoleLog(machine))
        )
        try await waiter.wait()
    }

    /// Asks the guest to shut down and waits for it.
    ///
    /// - Throws: `stop.timeout` where it does not within its `stop-timeout`.
    func shutDown(_ machine: MachineID) async throws {
        let patience = try record(machine).spec.stopTimeout
        guard try await isOffAfterRequests(machine, within: patience) else {
            throw KilnError(
                "stop.timeout",
                "\(machine) did not shut down within \(patience.components.seconds) s",
                hint: "raise stop-timeout, or end it without asking the guest: 'kiln stop --force \(id)'",
                exit: .deadline
            )
        }
    }

    // A guest that still boots hears nothing, so it is asked again and again.
    private func isOffAfterRequests(_ machine: MachineID, within patience: Duration) async throws -> Bool {
        var left = patience
        while left > .zero {
            let pause = min(.seconds(5), left)
            try await parts.machines.requestShutdown(machine)
            if try await parts.machines.waitUntilOff(machine, within: pause) { return true }
            left -= pause
        }
        return false
    }

    /// Ends a machine: asks the guest first, then not.
    func shutDownOrPowerOff(_ machine: MachineID) async throws {
        let machineState = try await parts.machines.state(of: machine)
        guard machineState.isAlive else { return }
        // A guest that stands still can't answer.
        guard machineState == .running else { return try await parts.machines.powerOff(machine) }
        do {
            try await shutDown(machine)
        } catch let error as KilnError where error.exit != .unreachable {
            parts.progress(.note("\(error.message); switching it off"))
            try await parts.machines.powerOff(machine)
        }
    }

    /// Proves that a machine is dead: the hypervisor says so, no process has its volumes, and a lock that excludes every
    /// QEMU can be taken on them.
    func proveOff(_ machine: MachineID) async throws {
        let machineState = try await parts.machines.state(of: machine)
        guard !machineState.isAlive else {
            throw KilnError(
                "machine.alive",
                "\(machine) should be off, but is \(machineState.rawValue)",
                hint: "something else started it: look with 'virsh list'",
                exit: .blocked
            )
        }
        let deadline = ContinuousClock.now + parts.releaseWithin
        while true {
            do {
                for name in try volumeNames(of: machine) { try volumes.proveUnheld(lab: id.lab, name) }
                return
            } catch let error as KilnError where error.code == "volume.held" && ContinuousClock.now < deadline {
                // The kernel does not tell when a file that another process holds is closed.
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    /// Takes the seed out of a machine that has been ready, and deletes it: it holds secrets.
    ///
    /// A machine that forgets its root keeps it, because each of its boots is a first one.
    func dropSeed(_ machine: MachineID) async throws {
        guard try !record(machine).hasVolatileRoot else { return }
        let seed = state.seed(machine)
        guard FileManager.default.fileExists(atPath: seed) else { return }
        // Beside each other, since the guest takes its time for both; the file goes last, so that a machine that loses its
        // power in here gets its seed once more.
        async let isWritten: Void = writeBack(machine)
        try await parts.machines.detachSeed(machine, path: seed)
        await isWritten
        try DurableFile.remove(seed)
    }

    // What the first boot made of the seed may still be in the guest's memory only. A machine that lost its power then
    // would come back as one that has been set up, but without its mounts, and no seed to do it again.
    private func writeBack(_ machine: MachineID) async {
        do {
            _ = try await parts.guests.run(GuestCommand(["sync"], deadline: .seconds(30)), in: machine)
        } catch {
            parts.progress(
                .note("\(machine) was not asked to write to its disks: \(KilnError.wrapping(error).message)")
            )
        }
    }

    /// Removes what a machine that is off was made of; its record and console log stay with the server.
    func remove(_ machine: MachineID) async throws {
        try await parts.machines.undefine(machine)
        for path in [state.rootOverlay(machine), state.seed(machine)] { try DurableFile.remove(path) }
        try removeSockets(machine)
    }

    /// Copies what helps to understand a failure to the evidence directory, whose path is returned.
    ///
    /// The generation's record is not among it, since user-data may hold secrets.
    func keepEvidence(_ machine: MachineID) async throws -> String {
        let stamp = UInt64(Date().timeIntervalSince1970)
        let directory = "\(state.evidence)/\(id.lab).\(id.server).\(machine.generation)-\(stamp)"
        try DurableFile.makeDirectory(directory)
        if let xml = try? await parts.machines.definition(of: machine) {
            try DurableFile.write(Data(xml.utf8), to: directory + "/domain.xml")
        }
        for (source, name) in [
            (state.consoleLog(machine), "console.log"), (state.server(id) + "/journal", "journal"),
        ] where FileManager.default.fileExists(atPath: source) {
            try DurableFile.write(
                try Data(contentsOf: URL(fileURLWithPath: source)),
                to: "\(directory)/\(name)",
                mode: 0o640
            )
        }
        return directory
    }

    private func removeSockets(_ machine: MachineID) throws {
        for path in [state.consoleSocket(machine), state.agentSocket(machine), state.ledgerSocket(machine)] {
            try DurableFile.remove(path)
        }
    }

    private func definition(_ record: GenerationRecord, withVolumes: Bool) throws -> MachineSpec {
        let machine = record.machine
        let seed = state.seed(machine)
        return MachineSpec(
            id: machine,
            uuid: record.uuid,
            acceleration: parts.machines.acceleration,
            memory: record.memory,
            processors: record.processors,
            boot: boot(record),
            root: MachineSpec.Disk(path: state.rootOverlay(machine), backing: [record.files.disk]),
            seed: FileManager.default.fileExists(atPath: seed) ? seed : nil,
            volumes: withVolumes ? try volumeNames(of: machine).map { try volumes.disk(lab: id.lab, $0) } : [],
            network: record.spec.network,
            consoleSocket: state.consoleSocket(machine),
            consoleLog: state.consoleLog(machine),
            agentSocket: state.agentSocket(machine),
            ledgerSocket: state.ledgerSocket(machine),
            user: parts.machines.user
        )
    }

    // 'ds=nocloud;i=…' lets a boot without the seed end in cloud-init's 'done', as the same instance.
    private func boot(_ record: GenerationRecord) -> MachineSpec.Boot {
        let source = "ds=nocloud;i=\(record.instanceID)"
        switch record.boot {
        case .direct(let commandLine):
            let volatile = record.spec.root == .volatile ? GenerationRecord.volatileRoot : nil
            let words = [commandLine, volatile, emulationHint, record.cloudInit == .none ? nil : source]
            return .direct(
                kernel: record.files.kernel ?? "",
                initrd: record.files.initrd,
                commandLine: words.compactMap { $0 }.joined(separator: " ")
            )
        case .firmware(let firmware): return .firmware(firmware, serial: source)
        }
    }

    // QEMU 7.2 translates code anew for every address that it is mapped at. With randomised addresses that is every
    // process anew, and after a guest's reboot the kernel spends minutes overwriting pages that thousands of stale
    // translations belong to.
    private var emulationHint: String? { parts.machines.acceleration == .tcg ? "norandmaps" : nil }
}
