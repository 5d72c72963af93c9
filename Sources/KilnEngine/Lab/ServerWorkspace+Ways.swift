import KilnModel
import KilnStore
import KilnSystem

/// How commands get into a machine's guest.
extension ServerWorkspace {
    func access(_ machine: MachineID) throws -> GuestAccessRecord? {
        try DurableFile.readJSON(GuestAccessRecord.self, from: state.access(machine))
    }

    /// The way that was found into a machine's guest.
    func way(into machine: MachineID) -> GuestWay? { (try? access(machine))?.way }

    /// Forwards, and to the guest's SSH server a port that nobody else is told of.
    func withAccess(_ forwards: [PortForward], _ machine: MachineID) throws -> [PortForward] {
        guard try record(machine).takesKeys, let access = try? access(machine) else { return forwards }
        return forwards + [PortForward(host: access.port, guest: 22)]
    }

    /// Chooses that port for a machine that is about to start, besides those that it publishes; a machine that gets none starts
    /// all the same, for its guest may have an agent.
    func chooseAccess(of machine: MachineID, besides forwards: [PortForward]) async {
        do {
            try await choosePort(of: machine, besides: forwards)
        } catch {
            parts.progress(.note("\(machine) can't be reached by SSH: \(KilnError.wrapping(error).message)"))
        }
    }

    private func choosePort(of machine: MachineID, besides forwards: [PortForward]) async throws {
        let record = try record(machine)
        guard record.takesKeys else { return }
        // Who is started beside it must see what is chosen.
        let lock = try await state.lockLabs()
        defer { withExtendedLifetime(lock) {} }
        let known = try access(machine)
        var taken = try PortBook.taken(in: state)
        if let known { taken.remove(known.port) }
        taken.formUnion(forwards.map(\.host))
        let kept = known.map(\.port).flatMap { !taken.contains($0) && parts.ports.isFree($0, .tcp) ? $0 : nil }
        // What the user-data brings says nothing of the image.
        let expected = record.spec.mayBringAgent ? nil : try parts.images.way(into: record.image.digest)
        let access = GuestAccessRecord(
            port: try kept ?? PortBook.choose(besides: taken, .tcp, host: parts.ports),
            started: HostUptime.now,
            expected: expected,
            way: known?.way == .closed ? nil : known?.way
        )
        try DurableFile.writeJSON(access, to: state.access(machine))
    }

    /// Notes by which way commands get into a machine that has become ready, for it and for its image; what can't be found out
    /// is no reason to give it up.
    func noteWay(into machine: MachineID) async {
        guard let record = try? record(machine), var access = try? access(machine), access.way == nil,
            let way = await findWay(into: machine)
        else { return }
        access.way = way
        do {
            try DurableFile.writeJSON(access, to: state.access(machine))
            if !record.spec.mayBringAgent { try parts.images.note(way, into: record.image.digest) }
        } catch {
            parts.progress(.note("the way into \(machine) is not noted: \(KilnError.wrapping(error).message)"))
        }
    }

    private func findWay(into machine: MachineID) async -> GuestWay? {
        do {
            return try await parts.guests.awaitWay(into: machine, within: .zero)
        } catch let error as KilnError where error.code == .guestNoAgent {
            // Before its end an agent may still come.
            guard (try? console(of: machine).tellsOfCloudInitEnd) == true else { return nil }
            return await findWayLate(into: machine)
        } catch {
            return nil
        }
    }

    // That there is none counts for all machines of the image: whoever is started right before the end takes a moment.
    private func findWayLate(into machine: MachineID) async -> GuestWay? {
        do {
            return try await parts.guests.awaitWay(into: machine, within: parts.agentGrace)
        } catch let error as KilnError where error.code == .guestNoAgent {
            return .closed
        } catch {
            return nil
        }
    }
}
