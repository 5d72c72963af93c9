import Foundation
import KilnModel

/// What can be done to a machine of the server.
extension ServerWorkspace {
    /// Makes overlay and domain of a machine whose record and seed were written, without the volumes.
    func prepare(_ machine: MachineID) async throws {
        let record = try record(machine)
        try await parts.disks.createLayer(at: state.rootOverlay(machine), over: record.files.disk, size: record.disk)
        try parts.disks.giveToMachines(state.rootOverlay(machine))
        try await parts.machines.define(try definition(record, withVolumes: false))
    }

    /// Starts a machine with its volumes and published ports; one that runs already is left as it is, and one that is paused
    /// goes on.
    ///
    /// - Parameter isReturning: whether it served before and is to serve again, also where there is no room for a seal.
    func start(_ machine: MachineID, isReturning: Bool = false) async throws {
        try await plug(machine, isUp: true)
        if try await parts.machines.state(of: machine) == .running { return }
        // What a front holds for others, a machine that has its ports itself can't bind.
        try await prepareFront(for: machine)
        try await takeOut(machine, patiently: false)
        try await chooseOwnPorts(of: machine)
        let forwards = try forwards(of: machine)
        try await start(machine, forwards: forwards, withVolumes: true, isReturning: isReturning)
    }

    /// Starts a machine that is asked on other ports than the published ones; one that runs already gets those ports.
    ///
    /// Without its volumes it stands beside the machine that serves, which keeps the server's address on networks.
    func start(_ machine: MachineID, ports: [Name: UInt16], withVolumes: Bool) async throws {
        let forwards = try record(machine).spec.ports.compactMap { name, port in
            ports[name].map { PortForward(host: $0, guest: port.guest, transport: port.transport) }
        }
        try await plug(machine, isUp: withVolumes)
        try await start(machine, forwards: forwards, withVolumes: withVolumes)
    }

    private func start(
        _ machine: MachineID,
        forwards: [PortForward],
        withVolumes: Bool,
        isReturning: Bool = false
    ) async throws {
        try await clearAwayHalfClone(machine)
        let machineState = try await parts.machines.state(of: machine)
        // A kiln that was killed in here leaves it paused, before its first instruction; a write error pauses it too.
        if machineState == .paused || machineState == .running {
            try await parts.machines.start(machine, forwards: try withAccess(forwards, machine))
            // A full disk may have paused it in the middle of a freeze, which has its end only now.
            return try await thawLeftover(machine)
        }
        guard !machineState.isAlive else {
            throw KilnError(
                .machineStuck,
                "\(machine) can't be started: it has a process already, which is \(machineState.rawValue)",
                hint: "end it first: 'kiln stop --force \(id)'",
                exit: .blocked
            )
        }
        if withVolumes { try await prepareVolumes(machine, isReturning: isReturning) }
        try removeSockets(machine)
        let record = try record(machine)
        let spec = try definition(record, withVolumes: withVolumes)
        let mayClone = try record.launch == .flash && !hasStarted(machine)
        try markBoot(machine)
        let isClone = mayClone ? try await clone(spec, record) : false
        if !isClone { try await parts.machines.define(spec) }
        await chooseAccess(of: machine, besides: forwards)
        try await parts.machines.start(machine, forwards: try withAccess(forwards, machine))
    }

    // A volume that lost its writer's power is looked at before anybody else writes to it.
    private func prepareVolumes(_ machine: MachineID, isReturning: Bool) async throws {
        for name in try volumeNames(of: machine) {
            do {
                try await volumes.prepare(lab: id.lab, name, for: machine, isReturning: isReturning)
            } catch let error as KilnError where isReturning && !Self.forbidding.contains(error.code) {
                parts.progress(.note("\(machine) gets volume \(name) without a seal: \(error.message)"))
                try await volumes.prepare(lab: id.lab, name, for: machine, isSealing: false)
            }
            try await volumes.requireClean(lab: id.lab, name: name)
        }
    }

    // What keeps a volume also from a machine that is to have it back; a seal, or a look at its mark, does not.
    private static let forbidding: [ErrorCode] = [.volumeHeld, .volumeLeased, .volumeDamaged, .interrupted]

    /// Requires that a volume could move on from the machine that has it now.
    ///
    /// One that can't would be found out with the old machine stopped already, and unable to start again.
    func checkFile(of record: VolumeRecord, _ machine: MachineID?) async throws {
        var own: String?
        if let machine { own = try await parts.machines.activeLayer(of: record.id, in: machine) }
        do {
            try volumes.verifyLayers(record)
            try volumes.refuseForeignHolders(record, isAttached: own != nil)
        } catch let error as KilnError where error.code == .volumeDamaged {
            throw KilnError(error.code, error.message, hint: error.hint, cause: error.cause, exit: .aborted)
        }
    }

    /// Lets clients reach a machine that runs and is ready: gives it the published ports, and takes from it all others, or puts it
    /// in at the front.
    func publish(_ machine: MachineID) async throws {
        try await openFront(for: machine)
        // Where clients come by a front, it still gets the published ports of datagrams.
        try await parts.machines.start(machine, forwards: try withAccess(try forwards(of: machine), machine))
        try await putIn(machine)
    }

    /// Plugs the volumes into a machine that runs without them, and waits until the guest has mounted them.
    func attachVolumes(_ machine: MachineID) async throws {
        for name in try volumeNames(of: machine) {
            let volume = try volumes.existing(lab: id.lab, name).id
            guard try await parts.machines.activeLayer(of: volume, in: machine) == nil else { continue }
            try await volumes.prepare(lab: id.lab, name, for: machine)
        }
        let full = try definition(try record(machine), withVolumes: true)
        for volume in full.volumes { try await parts.machines.attach(volume, to: full) }
        try await mountVolumes(of: machine)
    }

    /// Throws `volume.reformatted` where a guest has formatted one of the volumes of a machine.
    func requireMarks(of machine: MachineID) async throws {
        for name in try volumeNames(of: machine) { try await volumes.requireMark(lab: id.lab, name) }
    }

    /// Ends a machine without asking the guest; its volumes have to be checked before they are used again.
    func cutPower(of machine: MachineID) async throws {
        for name in try volumeNames(of: machine) { try await volumes.markUnclean(lab: id.lab, name: name) }
        try await parts.machines.powerOff(machine)
    }

    /// Asks the guest to shut down and waits for it.
    ///
    /// - Throws: `stop.timeout` where it does not within its `stop-timeout`.
    func shutDown(_ machine: MachineID) async throws {
        let patience = try record(machine).spec.stopTimeout
        var (left, objection) = (patience, String?.none)
        // A guest that still boots hears nothing, so it is asked again and again.
        while left > .zero {
            let pause = min(.seconds(5), left)
            objection = try await parts.machines.requestShutdown(machine)
            if try await parts.machines.waitUntilOff(machine, within: pause) { return }
            left -= pause
        }
        throw KilnError(
            .stopTimeout,
            "\(machine) did not shut down within \(patience.components.seconds) s",
            hint: "raise stop-timeout, or end it without asking the guest: 'kiln stop --force \(id)'",
            cause: objection,
            exit: .deadline
        )
    }

    /// Ends a machine: asks the guest first, then not.
    func shutDownOrPowerOff(_ machine: MachineID) async throws {
        let machineState = try await parts.machines.state(of: machine)
        guard machineState.isAlive else { return }
        // A guest that stands still can't answer.
        guard machineState == .running else { return try await cutPower(of: machine) }
        do {
            try await shutDown(machine)
        } catch let error as KilnError where error.exit != .unreachable {
            parts.progress(.note("\(error.message); switching it off"))
            try await cutPower(of: machine)
        }
    }

    /// Proves that a machine is dead: the hypervisor says so, no process has its volumes, and a lock that excludes every
    /// QEMU can be taken on them.
    func proveOff(_ machine: MachineID) async throws {
        let machineState = try await parts.machines.state(of: machine)
        guard !machineState.isAlive else {
            throw KilnError(
                .machineAlive,
                "\(machine) should be off, but is \(machineState.rawValue)",
                hint: "something else started it: look with 'virsh list'",
                exit: .blocked
            )
        }
        try await awaitRelease(.volumeHeld) {
            for name in try volumeNames(of: machine) { try volumes.proveUnheld(lab: id.lab, name) }
        }
    }

    /// Looks for a proof that files are released; as long as it fails with `code` and there is time, once more.
    func awaitRelease(_ code: ErrorCode, _ proof: () throws -> Void) async throws {
        let deadline = ContinuousClock.now + parts.releaseWithin
        while true {
            do {
                return try proof()
            } catch let error as KilnError where error.code == code && ContinuousClock.now < deadline {
                // The kernel does not tell when a file that another process holds is closed.
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }
}
