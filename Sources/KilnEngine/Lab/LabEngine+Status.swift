import Foundation
import KilnModel
import KilnSystem

extension LabEngine {
    /// All servers, or those of one lab; one of which nothing can be known hides no other.
    public func statuses(_ lab: Name? = nil) async throws -> [ServerStatus] {
        let wanted = try servers().filter { lab == nil || $0.lab == lab }
        guard !wanted.isEmpty else { return [] }
        // Everything else is read while the hypervisor is being reached.
        async let states = parts.machines.machines()
        let notes = await volumes.notesTogether()
        let standings = Standings(parts.images)
        let labs = Dictionary(grouping: wanted, by: \.lab)
        let found = await withTaskGroup(of: [Sight].self) { group in
            for (lab, ids) in labs { group.addTask { await sights(of: ids, files(of: lab), notes, standings) } }
            return await group.reduce(into: [ServerID: Sight]()) { all, sights in
                for sight in sights { all[sight.id] = sight }
            }
        }
        let known = try await states
        return wanted.compactMap { found[$0]?.status(known) }
    }

    /// One server.
    public func status(_ id: ServerID) async throws -> ServerStatus {
        _ = try existing(id)
        async let states = parts.machines.machines()
        let found = try sight(id, files(of: id.lab), volumes.notes(), Standings(parts.images))
        return found.status(try await states)
    }

    /// The declaration that the serving generation was made from; nothing before the first was committed.
    public func servingSpec(of id: ServerID) throws -> ServerSpec? {
        let workspace = try existing(id)
        return try workspace.history().current.map { try workspace.record(id.machine($0)).spec }
    }

    /// What files tell of a server; the hypervisor tells the rest.
    private struct Sight: Sendable {
        let id: ServerID
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
        of ids: [ServerID],
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
        _ id: ServerID,
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
        _ id: ServerID,
        _ files: LabFiles,
        _ notes: VolumeStore.Notes,
        _ standings: Standings
    ) throws -> Sight {
        let declared = files.declared[id.server]
        let workspace = workspace(id)
        let history = try workspace.history(lent: notes.lent)
        let machine = try? machine(id, in: history)
        let record = machine.flatMap { try? workspace.record($0) }
        let published = record.flatMap { $0.ports ?? files.ports?.ports[id.server] } ?? [:]
        let ports = (record?.spec.ports ?? [:]).compactMap { name, port in
            published[name].map { (name, ServerStatus.Port(host: $0, guest: port.guest, transport: port.transport)) }
        }
        let networks = record.map { addresses(of: id, on: $0.spec.networks, files.networks) } ?? [:]
        let current = history.current.map(id.machine)
        let serving = current == machine ? record : current.flatMap { try? workspace.record($0) }
        let age = serving.map { max(0, Int(Date.now.timeIntervalSince($0.created))) }
        // As declared by now: a server becomes due also where the file came to say so after the machine was made.
        let maxAge = if let declared { declared.maxAge } else { serving?.spec.maxAge }
        let isOld = ServerStatus.isDue(age: age, maxAge: maxAge)
        let moved = serving.flatMap { standings.moved(declared?.image ?? $0.spec.image, from: $0.image.digest) }
        let standing = record.flatMap(standings.of)
        return Sight(id: id) { states in
            ServerStatus(
                lab: id.lab,
                name: id.server,
                generation: history.current,
                state: machine.flatMap { states[$0] } ?? .absent,
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
                reformatted: notes.reformatted[id]
            )
        }
    }

    private func addresses(of id: ServerID, on networks: [Name], _ book: NetworkBook?) -> [Name: NetworkAddress] {
        networks.reduce(into: [:]) { $0[$1] = book?.networks[$1]?.addresses[id.server] }
    }

    private func unknown(_ id: ServerID, _ problem: String) -> ServerStatus {
        ServerStatus(
            lab: id.lab,
            name: id.server,
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
    static func isDue(age: Int?, maxAge: Duration?) -> Bool {
        guard let age, let maxAge else { return false }
        return .seconds(age) > maxAge
    }
}
