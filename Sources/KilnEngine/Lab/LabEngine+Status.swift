import Foundation
import KilnModel
import KilnSystem

extension LabEngine {
    /// All servers, or those of one lab; one of which nothing can be known hides no other.
    public func statuses(_ lab: Name? = nil) async throws -> [ServerStatus] {
        let wanted = try members().filter { lab == nil || $0.lab == lab }
        guard !wanted.isEmpty else { return [] }
        // Everything else is read while the hypervisor is being reached.
        async let states = parts.machines.machines()
        let notes = await volumes.notesTogether()
        let standings = Standings(parts.images)
        let labs = Dictionary(grouping: wanted, by: \.lab)
        let found = await withTaskGroup(of: [Sight].self) { group in
            for (lab, ids) in labs { group.addTask { await sights(of: ids, files(of: lab), notes, standings) } }
            return await group.reduce(into: [MemberID: Sight]()) { all, sights in
                for sight in sights { all[sight.id] = sight }
            }
        }
        let known = try await states
        return withAutopilot(await withTraffic(wanted.compactMap { found[$0]?.status(known) }))
    }

    /// These members.
    public func statuses(of ids: [MemberID]) async throws -> [ServerStatus] {
        var found: [ServerStatus] = []
        for id in ids { found.append(try await status(id)) }
        return withAutopilot(await withTraffic(found))
    }

    // What is so of servers with members only; a front that can't be asked says nothing.
    private func withTraffic(_ statuses: [ServerStatus]) async -> [ServerStatus] {
        let servers = Set(statuses.filter { $0.ordinal != nil }.map(\.id.whole)).sorted()
        var result = statuses
        for server in servers {
            let plan = try? ServerFront(id: server, state: state, parts: parts).plan()
            let traffic = plan == nil ? nil : try? await parts.fronts.traffic(of: server)
            let rollout = rolloutRemark(server)
            for index in result.indices where result[index].id.whole == server {
                result[index].rollout = rollout
                guard let plan else { continue }
                let ordinal = result[index].id.ordinal
                result[index].isIn = plan[ordinal].standing == .serving
                result[index].share = traffic.flatMap { FrontTraffic.share(of: ordinal, in: $0) }
            }
        }
        return result
    }

    /// One server.
    public func status(_ id: MemberID) async throws -> ServerStatus {
        _ = try existing(id)
        async let states = parts.machines.machines()
        let found = try sight(id, files(of: id.lab), volumes.notes(), Standings(parts.images))
        return found.status(try await states)
    }

    /// The declaration that the serving generation was made from; nothing before the first was committed.
    public func servingSpec(of id: MemberID) throws -> ServerSpec? {
        let workspace = try existing(id)
        return try workspace.history().current.map { try workspace.record(id.machine($0)).spec }
    }

    /// What files tell of a server; the hypervisor tells the rest.
    private struct Sight: Sendable {
        let id: MemberID
        let status: @Sendable ([MachineID: MachineState]) -> ServerStatus
    }

    /// What is declared of a server by which it may be due: all of a lab would take most of the time, of which 'ps' has little.
    private struct DeclaredServer: Decodable {
        let maxAge: Duration?
        let image: ImageReference
    }

    /// What the files of a lab tell of its servers, read once for all of them.
    private struct LabFiles: Sendable {
        let declared: [Name: DeclaredServer]
        let ports: PortBook?
        let networks: NetworkBook?
    }

    private func files(of lab: Name) -> LabFiles {
        struct Declared: Decodable {
            let servers: [Name: DeclaredServer]
        }
        let folder = state.lab(lab)
        return LabFiles(
            declared: (try? DurableFile.readJSON(Declared.self, from: folder + "/lab.json"))?.servers ?? [:],
            ports: try? DurableFile.readJSON(PortBook.self, from: folder + "/ports.json"),
            networks: try? NetworkBook.read(lab, in: state)
        )
    }

    /// The servers of one lab, looked at by several tasks: a lab may have many.
    private func sights(
        of ids: [MemberID],
        _ files: LabFiles,
        _ notes: VolumeStore.Notes,
        _ standings: Standings
    ) async -> [Sight] {
        await withTaskGroup(of: Sight.self) { group in
            for id in ids { group.addTask { sightOrProblem(id, files, notes, standings) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
    }

    private func sightOrProblem(
        _ id: MemberID,
        _ files: LabFiles,
        _ notes: VolumeStore.Notes,
        _ standings: Standings
    ) -> Sight {
        do {
            return try sight(id, files, notes, standings)
        } catch {
            let problem = KilnError.wrapping(error).message
            return Sight(id: id) { _ in unknown(id, problem) }
        }
    }

    private func sight(
        _ id: MemberID,
        _ files: LabFiles,
        _ notes: VolumeStore.Notes,
        _ standings: Standings
    ) throws -> Sight {
        let declared = files.declared[id.server]
        let workspace = workspace(id)
        let history = try workspace.history(lent: notes.lent)
        let machine = try? machine(id, in: history)
        let record = machine.flatMap { try? workspace.seen($0) }
        let published = record.flatMap { $0.ports ?? files.ports?.ports[id.server] } ?? [:]
        let ports = (record?.spec.ports ?? [:]).compactMap { name, port in
            published[name].map { (name, ServerStatus.Port(host: $0, guest: port.guest, transport: port.transport)) }
        }
        let networks = record.map { addresses(of: id, on: $0.spec.networks ?? [], files.networks) } ?? [:]
        let current = history.current.map(id.machine)
        let serving = current == machine ? record : current.flatMap { try? workspace.seen($0) }
        let age = serving.map { ServerStatus.age(since: $0.created) }
        // As declared by now: a server becomes due also where the file came to say so after the machine was made.
        let maxAge = if let declared { declared.maxAge } else { serving?.spec.maxAge }
        let isOld = ServerStatus.isDue(age: age, maxAge: maxAge)
        let moved = serving.flatMap { standings.moved(declared?.image ?? $0.spec.image, from: $0.image.digest) }
        let standing = record.flatMap { standings.of($0.image.digest, configuredAs: $0.configuration) }
        return Sight(id: id) { states in
            let state = machine.flatMap { states[$0] } ?? .absent
            return ServerStatus(
                lab: id.lab,
                name: id.server,
                ordinal: id.ordinal > 0 || record?.spec.fleet != nil ? id.ordinal : nil,
                generation: history.current,
                state: state,
                image: record?.image,
                way: machine.flatMap { workspace.way(into: $0) },
                instanceID: record?.instanceID,
                ports: Dictionary(uniqueKeysWithValues: ports),
                networks: networks,
                volumes: record?.spec.volumes ?? [:],
                operation: history.open.map(openOperation),
                isHalted: history.halted != nil,
                ageSeconds: age,
                isDue: isOld || moved != nil,
                problem: nil,
                standing: standing,
                moved: moved,
                reformatted: notes.reformatted[id],
                isCloned: machine.flatMap { state.isAlive && workspace.isClone($0) ? true : nil }
            )
        }
    }

    private func addresses(of id: MemberID, on networks: [Name], _ book: NetworkBook?) -> [Name: NetworkAddress] {
        guard let name = try? id.own(id.server) else { return [:] }
        return networks.reduce(into: [:]) { $0[$1] = book?.networks[$1]?.addresses[name] }
    }

    private func unknown(_ id: MemberID, _ problem: String) -> ServerStatus {
        ServerStatus(
            lab: id.lab,
            name: id.server,
            ordinal: id.ordinal > 0 ? id.ordinal : nil,
            generation: nil,
            state: .absent,
            image: nil,
            way: nil,
            instanceID: nil,
            ports: [:],
            networks: [:],
            volumes: [:],
            operation: nil,
            isHalted: false,
            ageSeconds: nil,
            isDue: false,
            problem: problem
        )
    }

    /// An operation that has not ended, and the process that works on it.
    func openOperation(_ operation: ServerHistory.Operation) -> ServerStatus.OpenOperation {
        // A process of another name with the same number came later.
        let name = HostProcesses.name(of: operation.pid)
        let alive = name != nil && name == HostProcesses.name(of: getpid())
        return ServerStatus.OpenOperation(
            number: operation.replacement.intent.number,
            step: operation.replacement.entered.last ?? .plan,
            pid: alive ? operation.pid : nil
        )
    }
}

extension ServerStatus {
    /// How old what was made then is, in whole seconds by the wall clock; 0 where that was set back to before.
    static func age(since created: Date) -> Int { max(0, Int(Date.now.timeIntervalSince(created))) }

    static func isDue(age: Int?, maxAge: Duration?) -> Bool {
        guard let age, let maxAge else { return false }
        return .seconds(age) > maxAge
    }
}
