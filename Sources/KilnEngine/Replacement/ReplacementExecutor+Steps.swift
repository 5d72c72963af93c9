import Foundation
import KilnModel

extension ReplacementExecutor {
    /// Performs one step.
    ///
    /// Every branch can be repeated.
    mutating func perform(_ step: Step) async throws {
        switch step {
        // PLAN's checks came before its record; DRAIN and VERIFY have nothing to do for a server that declares nothing.
        case .plan, .drain, .verify, .warm, .attach, .restoreData: break
        case .prepare: try await prepare()
        case .stop: try await stopOld()
        case .proveOff: try await proveOff(old)
        case .snapshot: try await seal()
        case .handover: try lend(to: new)
        case .start: try await startNew()
        case .healthy: try await server.awaitReady(new)
        case .commit: try await commit()
        case .stopNew: try await server.shutDownOrPowerOff(new)
        case .proveNewOff: try await proveOff(new)
        case .handBack: try handBack()
        case .startOld: try await startOld()
        case .oldHealthy: try await oldHealthy()
        case .removeNew: try await removeNew()
        }
    }

    private func prepare() async throws {
        try await writer?.write(new)
        try await server.prepare(new)
    }

    private func stopOld() async throws {
        guard let old, try await server.parts.machines.state(of: old).isAlive else { return }
        try await server.shutDown(old)
    }

    private mutating func proveOff(_ machine: MachineID?) async throws {
        guard let machine else { return }
        try await server.proveOff(machine)
        // Between the two machines nobody else may take the published ports.
        reservation = reservation ?? (try? server.parts.ports.reserve(server.forwards(of: new).map(\.host)))
    }

    private func seal() async throws {
        // A volume outlives its lab, whose generations then count from 1 again: the number alone names no layer.
        let mark = "before-\(new.generation)-\(try server.record(new).uuid.uuidString.prefix(8).lowercased())"
        for name in try server.volumeNames(of: new) {
            try await server.volumes.seal(lab: id.lab, name, mark: mark)
        }
    }

    private func lend(to machine: MachineID) throws {
        for name in try server.volumeNames(of: new) {
            try server.volumes.lend(lab: id.lab, name, to: machine)
        }
    }

    private mutating func startNew() async throws {
        try await server.start(new)
        reservation?.release()
        reservation = nil
    }

    private func commit() async throws {
        // What the first boot made of the seed may not be on the disk yet. A machine that lost its power since would come
        // back without its mounts, and no seed to make them again; one that a full disk paused can't give it up.
        if try await server.parts.machines.state(of: new) != .running {
            try await server.start(new)
            try await server.awaitReady(new)
        }
        try await server.dropSeed(new)
        if let old { try await server.remove(old) }
    }

    private func handBack() throws {
        if let old { return try lend(to: old) }
        for name in try server.volumeNames(of: new) {
            try server.volumes.release(lab: id.lab, name, from: new)
        }
    }

    private mutating func startOld() async throws {
        guard let old else { return }
        try await server.start(old)
        reservation?.release()
        reservation = nil
    }

    private func oldHealthy() async throws {
        guard let old else { return }
        do {
            try await server.awaitReady(old)
        } catch let error as KilnError where error.code == "ready.machine-died" {
            // A guest that was asked to shut down may do so when the patience with it has long ended.
            guard try await server.parts.machines.state(of: old) == .off else { throw error }
            try await server.proveOff(old)
            try await server.start(old)
            try await server.awaitReady(old)
        }
    }

    // A machine that never ran has nothing to tell that the journal does not.
    private mutating func keepEvidence() async {
        guard replacement.entered.contains(.start) else { return }
        do {
            evidence = try await server.keepEvidence(new)
        } catch {
            server.parts.progress(.note("no evidence of \(new) was kept: \(KilnError.wrapping(error).message)"))
        }
    }

    private mutating func removeNew() async throws {
        await keepEvidence()
        if let state = try? await server.parts.machines.state(of: new), state.isAlive {
            try await server.parts.machines.powerOff(new)
        }
        try await server.remove(new)
    }
}
