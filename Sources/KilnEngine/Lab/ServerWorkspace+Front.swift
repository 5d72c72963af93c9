import Foundation
import KilnModel
import KilnSystem

/// The machines of a server whose published ports belong to its front: each has ports of its own, and clients reach it as
/// long as the front sends them there.
extension ServerWorkspace {
    private var front: ServerFront { ServerFront(id: id.whole, state: state, parts: parts) }

    /// How the clients of a machine are kept; nothing where it has the published ports itself.
    func frontSpec(of machine: MachineID) throws -> FrontSpec? {
        let spec = try record(machine).spec
        return spec.heldPorts.isEmpty ? nil : spec.front
    }

    /// The ports by which a machine itself is reached.
    func ports(of machine: MachineID) throws -> [Name: UInt16] {
        let published = try publishedPorts(of: machine)
        guard try frontSpec(of: machine) != nil else { return published }
        return try published.merging(ownPorts(of: machine)) { _, own in own }
    }

    private func ownPorts(of machine: MachineID) throws -> [Name: UInt16] {
        try DurableFile.readJSON([Name: UInt16].self, from: state.ownPorts(machine)) ?? [:]
    }

    /// Chooses the ports of a machine that is about to be started, where clients reach it by the front.
    func chooseOwnPorts(of machine: MachineID) async throws {
        guard try frontSpec(of: machine) != nil else { return }
        // Another member that is started beside it must see what is chosen.
        let lock = try await state.lockLabs()
        defer { withExtendedLifetime(lock) {} }
        try keepOwnPorts(try freePorts(for: machine), of: machine)
    }

    /// Notes the ports with which a machine is started, where clients reach it by the front.
    private func keepOwnPorts(_ ports: [Name: UInt16], of machine: MachineID) throws {
        guard try frontSpec(of: machine) != nil else { return }
        let held = try record(machine).spec.heldPorts
        try DurableFile.writeJSON(ports.filter { held[$0.key] != nil }, to: state.ownPorts(machine))
    }

    /// The ports on which a warm machine is asked; those that it has already where it runs, since clients may be there by now.
    func warmPorts(of machine: MachineID) async throws -> [Name: UInt16] {
        let isAlive = try await parts.machines.state(of: machine).isAlive
        let lock = try await state.lockLabs()
        defer { withExtendedLifetime(lock) {} }
        let free = try freePorts(for: machine)
        let ports = try isAlive ? free.merging(ownPorts(of: machine)) { _, own in own } : free
        try keepOwnPorts(ports, of: machine)
        return ports
    }

    /// Lets the front own the published ports of a machine from now on, where it does not yet; requests wait until ``putIn(_:)``.
    ///
    /// Of one that has them itself they are its own again.
    func openFront(for machine: MachineID) async throws {
        guard let wanted = try frontPlan(for: machine) else { return try await front.leave(id.ordinal) }
        try await front.change { plan in
            var plan = plan ?? wanted
            plan.makeRoom(for: wanted)
            for slot in plan.slots where slot.standing != .out {
                guard let generation = slot.generation else { continue }
                let standing = id.whole.member(slot.ordinal).machine(generation)
                // After a restart of the host its ports may be somebody else's.
                if try await parts.machines.state(of: standing) != .running { plan.stand(.out, standing) }
            }
            return plan
        }
    }

    /// The same for a machine that is about to be started.
    ///
    /// Where it can't be had that is told: whether clients reach the machine is seen when it is ready.
    func prepareFront(for machine: MachineID) async throws {
        do {
            try await openFront(for: machine)
        } catch let error as KilnError {
            parts.progress(.note("the front of \(id) is not as it should be: \(error.message)"))
        }
    }

    /// Lets clients reach a machine that is ready.
    func putIn(_ machine: MachineID) async throws {
        guard let wanted = try frontPlan(for: machine) else { return }
        let own = try ownPorts(of: machine)
        try await front.change { plan in
            var plan = plan ?? wanted
            plan.makeRoom(for: wanted)
            plan[id.ordinal] = FrontPlan.Slot(
                ordinal: id.ordinal,
                generation: machine.generation,
                ports: own,
                standing: .serving
            )
            return plan
        }
        // Only now that it serves: what waits can't follow into another process.
        try await front.change { plan in
            guard var plan else { return nil }
            let before = plan
            plan.publish(as: wanted, by: id.ordinal)
            return plan == before ? nil : plan
        }
    }

    /// Sends a machine no more clients, and lets it end what it has begun for those of before.
    ///
    /// That it can't be had is said and decides nothing: at worst some requests fail.
    ///
    /// - Parameters:
    ///   - patiently: false where what it has begun is cut at once, as it is where the machine can't go on anyhow.
    ///   - next: the machine for which clients are to wait; it may want them to be kept otherwise.
    func takeOut(_ machine: MachineID, patiently: Bool = true, for next: MachineID? = nil) async throws {
        do {
            guard let known = try front.plan(), known[id.ordinal].generation == machine.generation else { return }
            let isRunning = try await parts.machines.state(of: machine) == .running
            if let next, isRunning { try await keepClients(as: try frontSpec(of: next)) }
            if patiently, isRunning {
                try await stand(.draining, machine)
                try await drain(machine, known.spec.drainTimeout)
            }
            try await stand(.out, machine)
            try await parts.fronts.cut(id.ordinal, of: id.whole)
        } catch let error as CancellationError {
            throw error
        } catch {
            try Task.checkCancellation()
            let why = KilnError.wrapping(error).message
            parts.progress(.note("\(machine) may still be sent requests, which will fail: \(why)"))
        }
    }

    private func stand(_ standing: FrontPlan.Standing, _ machine: MachineID) async throws {
        try await front.change { plan in
            guard var plan else { return nil }
            plan.stand(standing, machine)
            return plan
        }
    }

    /// Takes a machine out for as long as something is done to it; where that fails and it runs on, clients are sent to it again.
    func takingOut(_ machine: MachineID, patiently: Bool, _ body: () async throws -> Void) async throws {
        do {
            try await takeOut(machine, patiently: patiently)
            try await body()
        } catch {
            // Also where the command was interrupted: an unstructured task does not inherit the cancellation.
            await Task { await putBack(machine) }.value
            throw error
        }
    }

    /// Lets clients reach a machine again that served before; that it can't be had is said, and the next 'up' or 'recover' tries
    /// again.
    func putBack(_ machine: MachineID) async {
        do {
            guard try await parts.machines.state(of: machine) == .running else { return }
            try await putIn(machine)
        } catch {
            let why = KilnError.wrapping(error).message
            parts.progress(.note("requests to \(id) wait until 'kiln recover \(id)': \(why)"))
        }
    }

    /// Tells that a machine which runs, and was taken out before, has no clients as long as it is not found ready.
    func tellWaiting(_ machine: MachineID) async {
        guard let spec = try? frontSpec(of: machine), (try? await parts.machines.state(of: machine)) == .running else {
            return
        }
        let hold = "\(spec.hold.components.seconds) s"
        parts.progress(
            .note("clients of \(id) wait up to \(hold), then fail, until it is found ready: 'kiln recover \(id)'")
        )
    }

    /// Sees that clients reach a machine that should serve: a front that was killed together with who starts it again comes back,
    /// and one that a killed command had taken out is put in once it is ready.
    func serve(_ machine: MachineID) async throws {
        try await openFront(for: machine)
        guard try !isServing(machine), try await parts.machines.state(of: machine) == .running else { return }
        try await awaitServing(machine)
    }

    // Whether clients reach a machine as they should.
    private func isServing(_ machine: MachineID) throws -> Bool {
        guard let wanted = try frontPlan(for: machine) else { return true }
        guard let plan = try front.plan() else { return false }
        let slot = plan[id.ordinal]
        return wanted.ports.allSatisfy(plan.ports.contains) && plan.spec == wanted.spec
            && slot.generation == machine.generation && slot.standing == .serving
    }

    /// Gives the server's ports up.
    func leaveFront() async {
        do {
            try await front.leave(id.ordinal)
        } catch {
            let why = KilnError.wrapping(error).message
            parts.progress(.note("the front of \(id) may still be there; 'kiln gc' tries again: \(why)"))
        }
    }

    // While the old machine still serves. Where it can't be had clients are kept as before.
    private func keepClients(as spec: FrontSpec?) async throws {
        guard let spec, let before = try front.plan(), before.spec != spec else { return }
        do {
            try await front.change { plan in
                guard var plan else { return nil }
                plan.spec = spec
                return plan
            }
            // What the process of before has begun is not seen among the connections of its successor.
            try await parts.fronts.awaitPredecessors(of: id.whole, within: before.spec.drainTimeout + .seconds(10))
        } catch let error as KilnError {
            parts.progress(.note("clients of \(id) wait as they did before: \(error.message)"))
        }
    }

    // How the front of a machine should be, with nobody in it; nothing where the machine has its ports itself.
    private func frontPlan(for machine: MachineID) throws -> FrontPlan? {
        guard let spec = try frontSpec(of: machine) else { return nil }
        let (published, held) = (try publishedPorts(of: machine), try record(machine).spec.heldPorts)
        let ports = held.sorted { $0.key < $1.key }.compactMap { name, isHTTP in
            published[name].map { FrontPlan.Port(name: name, host: $0, isHTTP: isHTTP) }
        }
        let slots = try record(machine).spec.fleet == nil ? 1 : FrontPlan.room(for: id.ordinal)
        return FrontPlan(spec: spec, ports: ports, slots: (0..<slots).map { FrontPlan.Slot(ordinal: $0) })
    }

    /// Does something in a machine that was taken out, while no client of its server has a request under way; those that come wait.
    ///
    /// A service that hands something over to its peers, as a leader does, may lose what is under way in that moment. What waits is let
    /// through before its time is over, even where `body` takes longer. That it can't be had is said and decides nothing.
    func quietly(_ machine: MachineID, _ body: () async throws -> Void) async throws {
        guard try frontSpec(of: machine) != nil, let plan = try front.plan() else { return try await body() }
        do {
            try await pause(plan, machine)
            try await body()
        } catch {
            await endPause()
            throw error
        }
        await endPause()
    }

    private func pause(_ plan: FrontPlan, _ machine: MachineID) async throws {
        let limit = plan.spec.hold * 4 / 5
        do {
            try await parts.fronts.pause(id.whole, for: limit)
            try await awaitQuiet(plan, machine, within: limit / 2)
        } catch let error as KilnError {
            parts.progress(.note("\(machine): requests go on meanwhile: \(error.cause ?? error.message)"))
        }
    }

    // Also where the command was interrupted: an unstructured task does not inherit the cancellation. It would end by itself.
    private func endPause() async { await Task { try? await parts.fronts.pause(id.whole, for: .zero) }.value }

    // Of other connections than HTTP's nobody knows whether something is under way. What was let through just before the pause may
    // not be counted at once, so it has to be quiet twice.
    private func awaitQuiet(_ plan: FrontPlan, _ machine: MachineID, within limit: Duration) async throws {
        let spoken = Set(plan.ports.filter(\.isHTTP).map(\.name))
        let end = ContinuousClock.now + limit
        var looks = 0
        while looks < 2 {
            let traffic = try await parts.fronts.traffic(of: id.whole) ?? []
            let left = traffic.filter { spoken.contains($0.port) }.map(\.connections).reduce(0, +)
            looks = left == 0 ? looks + 1 : 0
            if left > 0, ContinuousClock.now >= end {
                return parts.progress(.note("\(machine): \(left) of the requests before have not ended, and go on"))
            }
            // The front tells of no event.
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    // Waits until a machine has ended what it has begun; the front tells of no event.
    private func drain(_ machine: MachineID, _ limit: Duration) async throws {
        let end = ContinuousClock.now + limit
        while true {
            let traffic = try await parts.fronts.traffic(of: id.whole) ?? []
            let left = traffic.filter { $0.ordinal == id.ordinal }.map(\.connections).reduce(0, +)
            guard left > 0 else { return }
            guard ContinuousClock.now < end else {
                let what = left == 1 ? "1 connection was" : "\(left) connections were"
                let seconds = limit.components.seconds
                return parts.progress(.note("\(machine): \(what) still open after \(seconds) s, and cut"))
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
