import Foundation
import KilnModel
import KilnStore
import KilnSystem

extension LabEngine {
    /// Brings a lab up: makes the volumes that are missing, launches new servers, starts those that are off.
    ///
    /// What runs is left as it is, so `up` can be repeated. A server that was declared otherwise before is not changed:
    /// that is what `replace` is for. Members that are not declared any more go, as ``scale(_:to:)`` lets them go. A server that
    /// declares `autoscale` keeps the number of members that it has, within the limits of that.
    ///
    /// - Parameter jobs: how many members of a server are brought up at once; nothing means as many as the host has processors.
    /// - Throws: `lab.no-memory` where the host has not the memory for all that would be started.
    public func up(_ lab: LabSpec, only: [Name] = [], jobs: Int? = nil) async throws -> [ServerStatus] {
        let lab = keepingNumbers(of: lab)
        let declared = try selected(lab, only)
        try await requirePossible(lab, declared, touching: declared)
        try await record(lab)
        return try await bringUp(declared, touching: declared, of: lab, jobs: jobs)
    }

    /// Requires what can be known before anything is written down or made.
    ///
    /// - Parameters:
    ///   - declared: all members that there are to be of the servers in question.
    ///   - wanted: those of them that are launched or started where they don't run.
    func requirePossible(
        _ lab: LabSpec,
        _ declared: [(MemberID, ServerSpec)],
        touching wanted: [(MemberID, ServerSpec)]
    ) async throws {
        try PortBook.requireAllowed(lab, by: parts.ports)
        try await checkImages(of: wanted, lab.images)
        try requireFronts(of: declared.map(\.1))
        try await requireMemory(for: wanted)
    }

    /// Lets there be these members of servers and no others, once the lab is written down.
    func bringUp(
        _ declared: [(MemberID, ServerSpec)],
        touching wanted: [(MemberID, ServerSpec)],
        of lab: LabSpec,
        jobs: Int?
    ) async throws -> [ServerStatus] {
        let servers = Dictionary(grouping: declared) { $0.0.whole }.sorted { $0.key < $1.key }
        for (server, members) in servers {
            // The lab is known by now: what makes room for others is a replacement by what it declares.
            try requireFrontOfFirst(server, members.map(\.0))
            _ = try await takeUpRollout(of: server)
            let isAnother = Set(self.members(of: server)) != Set(members.map(\.0))
            let lock = try isAnother ? lockNumber(of: server) : nil
            defer { withExtendedLifetime(lock) {} }
            try await removeSurplus(of: server, beyond: members.count)
            try await makeVolumes(lab, server, members)
            let alone = isFirstAlone(server, lab) ? 1 : 0
            let limit = jobs ?? ProcessInfo.processInfo.activeProcessorCount
            let touched = wanted.filter { $0.0.whole == server }
            for part in [touched.prefix(alone), touched.dropFirst(alone)] {
                try await bringUp(Array(part), atOnce: limit)
            }
        }
        // When all serve: nobody waits for what only the next machines will need.
        try await makeTemplates(for: wanted)
        return try await statuses(lab.name).filter { status in declared.contains { $0.0 == status.id } }
    }

    /// Requires what the published ports of these servers need besides the hypervisor.
    ///
    /// - Throws: `front.no-program`.
    public func requireFronts(of servers: some Sequence<ServerSpec>) throws {
        if servers.contains(where: { !$0.heldPorts.isEmpty }) { try parts.fronts.requireProgram() }
    }

    private func bringUp(_ members: [(MemberID, ServerSpec)], atOnce limit: Int) async throws {
        let specs = Dictionary(members) { first, _ in first }
        _ = try await together(members.map(\.0), atOnce: limit) { id in
            if let spec = specs[id] { try await bringUp(id, spec) }
        }
    }

    /// Whether the first member is launched before the others, so that what is wrong with all of them is told once.
    ///
    /// Those that begin empty may have to find each other to be ready, as the members of a registry do; so may those that served
    /// before.
    func isFirstAlone(_ server: ServerID, _ lab: LabSpec) -> Bool {
        lab.servers[server.server]?.fleet?.volumeFrom != .empty && !hasServed(server)
    }

    private func bringUp(_ id: MemberID, _ spec: ServerSpec) async throws {
        let workspace = workspace(id)
        let lock = try workspace.lock()
        defer { withExtendedLifetime(lock) {} }
        _ = try await recoverLocked(workspace)
        let action = try action(id, spec, states: try await parts.machines.machines())
        parts.progress(.plan(id, action.detail))
        switch action.kind {
        case .launch: try await launch(workspace, spec)
        case .start: try await startLocked(workspace)
        case .nothing, .differs:
            // A switch that was killed together with who starts it again comes back here.
            let machine = try machine(id)
            try await workspace.plug(machine, isUp: true)
            try await workspace.serve(machine)
            try workspace.tellUnknownPeers(machine)
        }
    }

    private func launch(_ workspace: ServerWorkspace, _ spec: ServerSpec) async throws {
        let report = try await begin(workspace, spec: spec)
        guard report.outcome != .committed else { return }
        // Both ways have failed: a person has to say what comes next.
        if let halted = try workspace.history().halted?.replacement { throw try haltedError(workspace, halted) }
        throw launchFailed(report)
    }

    private func launchFailed(_ report: ReplacementReport) -> KilnError {
        let reason = report.why ?? report.reason ?? "no reason was recorded"
        let evidence = report.evidence.map { "what its machine left behind is in \($0)" }
        let next = [report.turn?.hint, evidence].compactMap { $0 }
        return KilnError(
            report.turn?.code ?? .launchFailed,
            "\(report.server) was not brought up: \(reason)",
            hint: next.isEmpty ? nil : next.joined(separator: "; "),
            cause: report.turn?.cause,
            exit: report.turn.flatMap { ExitCode(turnCode: $0.code) } ?? .aborted
        )
    }

    func action(_ id: MemberID, _ spec: ServerSpec, states: [MachineID: MachineState]) throws -> PlannedAction {
        let workspace = workspace(id)
        let history = try workspace.history()
        guard let current = history.current else {
            let detail = "launch generation \(history.highest + 1) from \(spec.image)"
            return PlannedAction(server: id, kind: .launch, detail: detail, changes: [])
        }
        let machine = id.machine(current)
        // What is paused goes on; what crashed can't, and to start it says so.
        guard states[machine] == .running else {
            return PlannedAction(server: id, kind: .start, detail: "start generation \(current)", changes: [])
        }
        let record = try workspace.record(machine)
        guard isMade(record, as: spec) else {
            return PlannedAction(
                server: id,
                kind: .differs,
                detail:
                    "runs as generation \(current), but is declared otherwise now: 'kiln replace \(id.whole)' applies that",
                changes: []
            )
        }
        return PlannedAction(server: id, kind: .nothing, detail: "runs as generation \(current)", changes: [])
    }

    // What a rollout or a rollback made names its image by the digest, whatever it was asked for by.
    private func isMade(_ record: GenerationRecord, as spec: ServerSpec) -> Bool {
        var made = record.spec
        if case .digest(let digest) = made.image.selector, made.image != spec.image,
            (try? parts.images.usable(spec.image, .any))?.manifest.digest == digest
        {
            made.image = spec.image
        }
        return made == spec
    }

    func selected(_ lab: LabSpec, _ only: [Name]) throws -> [(MemberID, ServerSpec)] {
        if let unknown = only.first(where: { lab.servers[$0] == nil }) {
            throw KilnError(
                .serverMissing,
                "the lab \(lab.name) declares no server \(unknown)",
                hint: "it declares: \(lab.servers.keys.sorted().map(\.text).joined(separator: ", "))",
                exit: .usage
            )
        }
        return try lab.servers.sorted { $0.key < $1.key }.filter { only.isEmpty || only.contains($0.key) }
            .flatMap { name, spec in
                try (0..<spec.replicas).map { ordinal in
                    let id = MemberID(lab: lab.name, server: name, ordinal: ordinal)
                    return (id, try spec.ofMember(id))
                }
            }
    }

    // Before anything is made, so that a missing image leaves nothing behind. What runs or is off gets no new generation.
    func checkImages(of servers: [(MemberID, ServerSpec)], _ policy: ImagePolicy) async throws {
        var asked: Set<ImageRequest> = []
        for (id, spec) in servers {
            // A journal that can't be read is told once the server's lock is held; it makes nothing new.
            let history = try? workspace(id).history()
            let isNew = history.map { $0.current == nil && $0.open == nil } ?? false
            let request = ImageRequest(reference: spec.image, purpose: isNew ? .newGeneration(policy) : .existing)
            guard asked.insert(request).inserted else { continue }
            _ = try await parts.images.verifiedImage(request.reference, for: request.purpose)
        }
    }

    private struct ImageRequest: Hashable {
        let reference: ImageReference
        let purpose: ImagePurpose
    }

    /// The lock of the list of labs: everybody has it for moments only, so it is waited for.
    ///
    /// - Throws: `lock.held`, naming who has it, after a while.
    func lockLabs() async throws -> FileLock {
        try await state.lockLabs { [progress = parts.progress] held in progress(.note("waiting: \(held.message)")) }
    }

    func record(_ lab: LabSpec) async throws {
        try DurableFile.makeDirectory(state.lab(lab.name))
        let lock = try await lockLabs()
        defer { withExtendedLifetime(lock) {} }
        try write(lab)
    }

    /// Declares another number of members of a server and nothing else: what another command has declared meanwhile stays so.
    ///
    /// - Throws: `lab.missing`, also where it was taken down meanwhile; ``NotAsSeen`` where there is another number by now than
    ///   `before`, where that is given.
    func declare(_ server: ServerID, _ replicas: Int, insteadOf before: Int? = nil) async throws -> LabSpec {
        let lock = try await lockLabs()
        defer { withExtendedLifetime(lock) {} }
        let lab = try lab(of: server, with: replicas, insteadOf: before)
        try write(lab)
        return lab
    }

    // Under the lock of the list of labs.
    private func write(_ lab: LabSpec) throws {
        if RunFiles(lab: lab.name, state: state).exist { try PortBook.refuseTaken(lab, in: state) }
        let path = state.lab(lab.name) + "/ports.json"
        var book = try DurableFile.readJSON(PortBook.self, from: path) ?? PortBook()
        try book.fill(lab, takenElsewhere: try PortBook.taken(in: state), host: parts.ports)
        try DurableFile.writeJSON(book, to: path)
        try NetworkBook.update(lab, in: state)
        // User-data may hold secrets.
        try DurableFile.writeJSON(lab, to: state.lab(lab.name) + "/lab.json", mode: 0o600)
    }
}
