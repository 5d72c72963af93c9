import Foundation
import KilnModel

extension ReplacementExecutor {
    /// Performs one step.
    ///
    /// Every branch can be repeated.
    mutating func perform(_ step: Step) async throws {
        switch step {
        // PLAN's checks came before its record.
        case .plan: break
        case .prepare: try await prepare()
        case .warm: try await warm()
        case .drain: try await drain()
        case .stop: try await stopOld()
        case .proveOff: try await proveOff(old)
        case .snapshot:
            try await requireNothingHidden()
            try await seal()
        case .handover: try await lendToNew()
        case .start: try await startNew()
        case .attach: try await attach()
        case .healthy: try await healthy()
        case .verify: try await verify()
        case .commit: try await commit()
        case .stopNew: try await stopNew()
        case .proveNewOff: try await proveOff(new)
        case .handBack: try await handBack()
        case .restoreData: try await restoreData()
        case .startOld: try await startOld()
        case .oldHealthy: try await oldHealthy()
        case .removeNew: try await removeNew()
        }
    }

    private func prepare() async throws {
        try await writer?.write(new)
        try await server.prepare(new)
    }

    private mutating func startNew() async throws {
        guard isWarm else {
            try await server.start(new)
            return release()
        }
        // Clients reach the old machine until the new one has shown that it serves; so that is asked on other ports.
        let ports = try await server.warmPorts(of: new)
        probePorts = ports
        let isLent = replacement.completed.contains { $0.step == .handover }
        try await server.start(new, ports: ports, withVolumes: isLent)
    }

    private mutating func warm() async throws {
        try await awaitWarm()
        try await server.prepareMounts(of: new)
        isWarmed = true
        // Since PLAN a whole boot has gone by.
        for name in try server.volumeNames(of: new) {
            guard let record = try server.volumes.record(lab: id.lab, name) else { continue }
            try await server.checkFile(of: record, old)
        }
    }

    private mutating func attach() async throws {
        // One that was started again by a recovery still boots.
        if !isWarmed { try await awaitWarm() }
        // The old machine is proven off. What the volumes' services need may be on a network, so it comes before them.
        try await server.plug(new, isUp: true)
        try await server.attachVolumes(new)
        try await server.runAfterAttach(new)
    }

    private mutating func awaitWarm() async throws {
        let ports = probePorts ?? [:]
        restarts += try await server.survivingCrash(of: new, on: ports) { [server = self.server, new = self.new] in
            try await server.awaitWarm(new, ports: ports)
        }
    }

    private mutating func awaitReady(_ machine: MachineID) async throws {
        restarts += try await server.survivingCrash(of: machine) { [server = self.server] in
            try await server.awaitReady(machine)
        }
        // That clients can't reach it is no reason to give up what serves.
        await server.putBack(machine)
    }

    private mutating func healthy() async throws {
        guard isWarm else {
            restarts += try await server.survivingCrash(of: new) { [server = self.server, new = self.new] in
                try await server.awaitHealthy(new)
            }
            return
        }
        release()
        try await server.awaitHealthy(new, on: probePorts ?? [:])
    }

    private func verify() async throws {
        do {
            try await server.verify(new)
        } catch let damage as KilnError where damage.code == .verifyDataDamaged {
            // What finds a volume empty calls its data damaged; where the new machine has formatted it, a safe way back is known.
            if let format = await formatFound() { throw format }
            throw damage
        }
        // Last of all: whatever the new machine's first minutes did to its volumes is done by now.
        do {
            try await server.requireMarks(of: new)
        } catch let error as KilnError where Self.blind.contains(error.code) {
            try await lookAgain()
        }
    }

    private func formatFound() async -> KilnError? {
        do {
            try await server.requireMarks(of: new)
        } catch let error as KilnError where error.code == .volumeReformatted {
            return error
        } catch {
            // What can't be looked at proves no format.
        }
        return nil
    }

    // That a mark can't be read says nothing of it.
    private static let blind: [ErrorCode] = [.toolFailed, .toolDeadline, .diskNoMarkRead]

    // A machine that is healthy and verified is not given up because it can't be seen whether it has formatted something: what
    // SNAPSHOT sealed stays, and the next SNAPSHOT looks again.
    private func lookAgain() async throws {
        do {
            try await server.requireMarks(of: new)
        } catch let error as KilnError where Self.blind.contains(error.code) {
            server.parts.progress(.note("whether \(new) has formatted a volume can't be seen: \(error.message)"))
        }
    }

    private mutating func proveOff(_ machine: MachineID?) async throws {
        guard let machine else { return }
        try await server.proveOff(machine)
        reserve()
    }

    // Only now nothing comes to it any more.
    private func requireNothingHidden() async throws {
        guard let old, try server.record(new).spec.hiddenData == .abort else { return }
        try await server.requireNothingHidden(of: old)
    }

    private func seal() async throws {
        let mark = try snapshotMark
        for name in try server.volumeNames(of: new) {
            try await server.volumes.seal(lab: id.lab, name, mark: mark)
            // After the seal, so that what the check finds can be compared with what was there.
            try await server.volumes.requireClean(lab: id.lab, name: name)
        }
    }

    /// The volumes that a revert set aside, also one that another process began.
    var discarded: [String] {
        guard replacement.completed.contains(where: { $0.step == .restoreData }), let mark = try? snapshotMark,
            let names = try? server.volumeNames(of: new)
        else { return [] }
        return names.compactMap { (try? server.volumes.record(lab: id.lab, $0))?.restoration }
            .filter { $0.snapshot.text == mark }.map(\.kept)
    }

    // A volume outlives its lab, whose generations then count from 1 again: the number alone names no layer.
    private var snapshotMark: String {
        get throws { "before-\(new.generation)-\(try server.record(new).uuid.uuidString.prefix(8).lowercased())" }
    }

    private mutating func lendToNew() async throws {
        for name in try server.volumeNames(of: new) { try server.volumes.lend(lab: id.lab, name, to: new) }
        // The old machine has let go of the ports that a front is to have from now on.
        guard try server.frontSpec(of: new) != nil else { return }
        release()
        try await server.prepareFront(for: new)
    }

    private mutating func commit() async throws {
        // What the first boot made of the seed may not be on the disk yet. A machine that lost its power since would come
        // back without its mounts, and no seed to make them again. One that a full disk paused serves nobody: the old one is
        // not given up for it, and the next command lets it go on.
        do {
            try await settleNew()
        } catch let error as KilnError where error.code == ServerWorkspace.lostPower && !isLeavingNew {
            try await settleNew()
        } catch let error as KilnError where isLeavingNew && error.exit != .unreachable {
            server.parts.progress(.note("\(new) serves no more: \(error.message)"))
        }
        guard let old else { return }
        await measureDrift(of: old)
        for name in try server.volumeNames(of: old) where try !server.volumeNames(of: new).contains(name) {
            try server.volumes.release(lab: id.lab, name, from: old)
        }
        try await server.retire(old, keeping: try server.record(new).spec.keepRoots, serving: new)
    }

    private mutating func settleNew() async throws {
        if try await server.parts.machines.state(of: new) != .running {
            try await server.start(new)
            try await awaitReady(new)
        }
        guard FileManager.default.fileExists(atPath: server.state.seed(new)) else {
            return try await server.awaitWrittenBack(new)
        }
        try await server.dropSeed(new)
    }

    // It can't change any more, so this is what the machine really was. That it can't be measured is no reason to give up
    // a replacement whose new machine serves.
    private mutating func measureDrift(of machine: MachineID) async {
        guard !server.hasDriftReport(machine) else { return }
        do {
            try server.keepDriftReport(try await server.measureDrift(machine), of: machine)
        } catch {
            let message = KilnError.wrapping(error).message
            driftFailure = message
            server.parts.progress(.note("the drift of \(machine) is unknown: \(message)"))
        }
    }

    // A machine that never ran has nothing to tell that the journal does not.
    private mutating func removeNew() async throws {
        let hasRun = replacement.entered.contains(.start)
        if hasRun { await keepEvidence() }
        // Of a launch nothing is left, so nobody is waited for.
        if old == nil { await server.leaveFront() }
        if let state = try? await server.parts.machines.state(of: new), state.isAlive {
            try await server.parts.machines.powerOff(new)
        }
        // With the volumes it may have served, and been told to write where they were not mounted.
        if hasRun, replacement.isHandedOver, server.mayHideData(new) { await measureDrift(of: new) }
        guard hasRun, old != nil || server.isKeptForHiddenData(new) else { return try await server.remove(new) }
        try await server.retire(new, keeping: try server.record(new).spec.keepRoots, serving: old ?? new)
    }

    private mutating func keepEvidence() async {
        do {
            evidence = try await server.keepEvidence(new)
        } catch {
            server.parts.progress(.note("no evidence of \(new) was kept: \(KilnError.wrapping(error).message)"))
        }
    }
}

extension ReplacementExecutor {
    // MARK: - The old machine

    // A replacement never needs a healthy old machine: one that can't be asked is not drained.
    private func drain() async throws {
        guard let old, try await server.parts.machines.state(of: old) == .running else { return }
        try await server.takeOut(old, for: new)
        try await server.runDrain(old)
    }

    private func stopOld() async throws {
        guard let old else { return }
        // One that could not be drained has clients still.
        try await server.takeOut(old, patiently: false)
        let state = try await server.parts.machines.state(of: old)
        guard state.isAlive else { return }
        // Its guest is dead already; there is nobody to ask.
        if state == .crashed { return try await server.cutPower(of: old) }
        do {
            try await server.shutDown(old)
        } catch let error as KilnError where error.code == .stopTimeout && replacement.intent.forceStop {
            server.parts.progress(.note("\(error.message); switching it off, and checking its volumes"))
            try await server.cutPower(of: old)
        }
    }

    private func stopNew() async throws {
        // Also where it is off by now: whoever is sent there finds nobody.
        try await server.takeOut(new)
        guard try await server.parts.machines.state(of: new).isAlive else { return }
        if try await isCutOff { return try await server.cutPower(of: new) }
        try await server.shutDownOrPowerOff(new)
    }

    // Whether the new machine is ended without asking its guest: one that has crashed can't be asked, and one that its user
    // gives up is thrown away. Its volumes are not: a guest that can write to them has answered by then, and is asked.
    private var isCutOff: Bool {
        get async throws {
            switch replacement.turn?.code {
            case ReadinessWaiter.crashCode, ErrorCode.readyWrongFirmware: return true
            case .interrupted:
                if try server.volumeNames(of: new).isEmpty { return true }
                return try await server.isStillBooting(new)
            default: return false
            }
        }
    }

    // What the old machine does not mount is nobody's again.
    private mutating func handBack() async throws {
        try await discardFormatted()
        let returning = try old.map { try server.volumeNames(of: $0) } ?? []
        for name in try server.volumeNames(of: new) {
            if let old, returning.contains(name) {
                try server.volumes.lend(lab: id.lab, name, to: old)
            } else {
                try server.volumes.release(lab: id.lab, name, from: new)
            }
        }
    }

    // To go on with a volume that the new machine has formatted would be to lose what it held; what the new one wrote is set
    // aside, too.
    private mutating func discardFormatted() async throws {
        guard replacement.intent.dataOnRevert == .keep, replacement.completed.contains(where: { $0.step == .snapshot })
        else { return }
        for name in try server.volumeNames(of: new) {
            guard let record = try server.volumes.record(lab: id.lab, name) else { continue }
            guard await hasLostMark(record) else { continue }
            server.parts.progress(.note("\(new) has formatted volume \(record.title); its data are restored"))
            return try write(.decided(.restore))
        }
    }

    // Nothing on the way back may depend on it.
    private func hasLostMark(_ record: VolumeRecord) async -> Bool {
        do {
            return try await server.volumes.hasLostMark(record)
        } catch {
            let why = KilnError.wrapping(error).message
            server.parts.progress(.note("whether \(new) has formatted volume \(record.title) is unknown: \(why)"))
            return false
        }
    }

    private func restoreData() async throws {
        // It runs already where that was decided after a halt.
        if let old, try await server.parts.machines.state(of: old).isAlive {
            try await server.takeOut(old)
            try await server.shutDownOrPowerOff(old)
            try await server.proveOff(old)
        }
        let mark = try snapshotMark
        for name in try server.volumeNames(of: new) {
            _ = try await server.volumes.restore(lab: id.lab, name: name, to: mark)
        }
    }

    private mutating func startOld() async throws {
        guard let old else { return }
        if try await needsRestart(old) {
            // One that stands still hears nothing.
            try await server.start(old, isReturning: true)
            try await server.shutDownOrPowerOff(old)
        }
        // Where it was never stopped, what its console said before is no news.
        if try await server.parts.machines.state(of: old) == .running { try server.markBoot(old, isStart: false) }
        try await server.start(old, isReturning: true)
        release()
    }

    // Its `drain` hooks ended its service, and only a boot is known to bring that back. One that was paused in the middle of
    // its shutdown goes on with that, maybe when it has been found healthy.
    private func needsRestart(_ old: MachineID) async throws -> Bool {
        let isUnknown = replacement.isAfterHalt
        return switch try await server.parts.machines.state(of: old) {
        case .running:
            try (isUnknown || replacement.entered.contains(.drain)) && !server.record(old).spec.drain.isEmpty
        case .paused: isUnknown || replacement.entered.contains(.stop)
        default: false
        }
    }

    private mutating func oldHealthy() async throws {
        guard let old else { return }
        do {
            try await awaitReady(old)
        } catch let error as KilnError where error.exit != .unreachable {
            // A guest that was asked to shut down may do so when the patience with it has long ended.
            guard try await server.parts.machines.state(of: old) == .off else { throw error }
            try await server.proveOff(old)
            try await server.start(old, isReturning: true)
            try await awaitReady(old)
        }
    }
}
