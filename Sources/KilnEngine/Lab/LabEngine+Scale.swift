import Foundation
import KilnModel
import KilnStore
import KilnSystem

/// Members that come and go, with their volumes.
extension LabEngine {
    /// Lets a server have so many members from now on.
    ///
    /// New ones get their volumes as the server declares it, or what was retained of a member of the same ordinal. Those that are
    /// too many end what they have begun for clients, and go; their volumes are retained.
    ///
    /// - Throws: `server.not-replicated` where the server declares no `replicas`, `server.replicas` for a number that none can have,
    ///   or not this one by its `autoscale`, `lock.held` where a rollout of it is driven, and as ``up(_:only:jobs:)``.
    public func scale(_ server: ServerID, to replicas: Int, jobs: Int? = nil) async throws -> [ServerStatus] {
        if let limits = try lab(server.lab).servers[server.server]?.autoscale, limits.allowed(replicas) != replicas {
            throw beyond(limits, replicas, server)
        }
        let wanted = try lab(of: server, with: replicas)
        _ = try await takeUpRollout(of: server)
        let lock = try lockNumber(of: server)
        defer { withExtendedLifetime(lock) {} }
        let members = try selected(wanted, [server.server])
        try await requirePossible(wanted, members, touching: members)
        let declared = try await declare(server, replicas)
        let all = try selected(declared, [server.server])
        return try await bringUp(all, touching: all, of: declared, jobs: jobs)
    }

    /// The lab as it is declared, but with so many members of a server.
    ///
    /// - Throws: ``NotAsSeen`` where it declares another number than `before`, where that is given.
    func lab(of server: ServerID, with replicas: Int, insteadOf before: Int? = nil) throws -> LabSpec {
        let lab = try lab(server.lab)
        guard var spec = lab.servers[server.server], var fleet = spec.fleet else { throw notReplicated(server) }
        guard (1...MemberID.most).contains(replicas) else { throw noSuchNumber(replicas, server) }
        if let before, fleet.replicas != before {
            throw NotAsSeen(reason: "another command gave it another number of members meanwhile")
        }
        fleet.replicas = replicas
        spec.fleet = fleet
        return lab.with([server.server: spec])
    }

    /// Keeps rollouts of a server away, which would not count who comes or goes meanwhile, and 'down', which would miss who comes;
    /// others who change its members don't exclude each other.
    ///
    /// - Returns: nothing where none of it was ever launched.
    /// - Throws: `lock.held`.
    func lockNumber(of server: ServerID) throws -> FileLock? {
        guard !members(of: server).isEmpty else { return nil }
        return try RolloutFiles(server: server, state: state).lockOut()
    }

    private func notReplicated(_ server: ServerID) -> KilnError {
        KilnError(
            .serverNotReplicated,
            "\(server) declares no replicas, so it is its only member",
            hint:
                "write 'replicas: 1' into its lab file, then 'kiln up' and 'kiln replace \(server)', which gives it a front",
            exit: .usage
        )
    }

    private func noSuchNumber(_ replicas: Int, _ server: ServerID) -> KilnError {
        KilnError(
            .serverReplicas,
            "\(server) can't have \(replicas) members: expected 1 to \(MemberID.most)",
            hint: replicas < 1
                ? "'kiln down \(server.lab)' takes all of them away" : "choose a number that the host has memory for",
            exit: .usage
        )
    }

    private func beyond(_ limits: AutoscaleSpec, _ replicas: Int, _ server: ServerID) -> KilnError {
        KilnError(
            .serverReplicas,
            "\(server) can't have \(replicas) members: its 'autoscale' allows \(limits.min) to \(limits.max)",
            hint: "choose one of these, or write other limits into its lab file, then 'kiln up'",
            exit: .usage
        )
    }

    private func openRollout(_ open: RolloutReport) -> KilnError {
        KilnError(
            .rolloutOpen,
            "\(open.server) can't lose members while a rollout is open: \(open.sentence)",
            hint: "let it end first: 'kiln rollout status \(open.server)'",
            exit: .blocked
        )
    }

    /// Refuses more members beside one that has the published ports itself, so that nobody else could be sent requests.
    func requireFrontOfFirst(_ server: ServerID, _ members: [MemberID]) throws {
        guard members.count > 1, let current = try workspace(server.member(0)).history().current else { return }
        let first = server.member(0).machine(current)
        let spec = try workspace(first.member).record(first).spec
        guard spec.fleet == nil, spec.heldPorts.isEmpty, spec.ports.values.contains(where: { $0.transport == .tcp })
        else {
            return
        }
        throw KilnError(
            .serverNotReplicated,
            "\(server) was launched before it declared replicas: its machine has the published ports itself",
            hint:
                "'kiln replace \(server).0' makes one behind a front, which others can stand beside; then 'kiln up' again",
            exit: .blocked
        )
    }

    /// Refuses to start more members than the host has memory for.
    func requireMemory(for wanted: [(MemberID, ServerSpec)]) async throws {
        let several = Dictionary(grouping: wanted) { $0.0.whole }.values.filter { $0.count > 1 }.flatMap(\.self)
        guard !several.isEmpty, let free = parts.freeMemory() else { return }
        let states = try await parts.machines.machines()
        let running = Set(states.filter { $0.value.isAlive }.map(\.key.member))
        let needed = several.filter { !running.contains($0.0) }.map { memory(of: $0.1) }
        let sum = needed.reduce(UInt64(0)) { $0.addingReportingOverflow($1.bytes).overflow ? .max : $0 + $1.bytes }
        guard sum > free.bytes else { return }
        throw KilnError(
            .labNoMemory,
            "\(needed.count) machines are to be started with \(ByteCount(bytes: sum)) together, and the host has "
                + "\(free.bytes >> 20) MiB free",
            hint: "declare fewer replicas or less 'memory', or take a lab down that is not needed: 'kiln ps'",
            exit: .blocked
        )
    }

    /// How many more members of a server the host has memory for; nothing where that can't be told.
    func room(for spec: ServerSpec) -> Int? {
        let needed = memory(of: spec).bytes
        guard needed > 0, let free = parts.freeMemory() else { return nil }
        return Int(clamping: free.bytes / needed)
    }

    /// What a machine of a server is given of the host's memory; nothing where its image can't be read.
    func memory(of spec: ServerSpec) -> ByteCount {
        spec.memory ?? (try? parts.images.usable(spec.image, .any))?.manifest.size.memory ?? ByteCount(bytes: 0)
    }

    /// Takes the members of a server away that are not declared any more, the last first; their volumes are retained.
    func removeSurplus(of server: ServerID, beyond count: Int) async throws {
        let surplus = members(of: server).filter { $0.ordinal >= count }
        guard !surplus.isEmpty else { return }
        if let open = try rollout(of: server), open.standing != .ended { throw openRollout(open) }
        for id in surplus.reversed() {
            let workspace = workspace(id)
            let lock = try workspace.lock()
            defer { withExtendedLifetime(lock) {} }
            _ = try await recoverLocked(workspace)
            if let machine = try? machine(id) {
                try await workspace.takeOut(machine)
                try await runDrain(of: machine, workspace)
            }
            let own = volumes.readableList().volumes.filter { $0.lease?.machine.member == id }
            try await remove(workspace)
            for volume in own {
                let kept = try volumes.retain(lab: volume.lab, volume.name)
                parts.progress(
                    .note(
                        "\(id) is gone; its volume \(volume.name) is retained as \(kept), which the next member of that number takes up; "
                            + "'kiln volume purge \(kept)' removes it"
                    )
                )
            }
        }
    }

    // That it does not hand over what it has is told, and keeps nobody who is not declared any more.
    private func runDrain(of machine: MachineID, _ workspace: ServerWorkspace) async throws {
        guard try await parts.machines.state(of: machine) == .running else { return }
        do {
            try await workspace.runDrain(machine)
        } catch {
            try Task.checkCancellation()
            parts.progress(.note("\(machine) goes without its drain: \(KilnError.wrapping(error).message)"))
        }
    }
}
