import Foundation
import KilnModel
import KilnSystem

/// A rehearsal: a server that lives as long as one command, from the new image, on clones of the real volumes.
extension LabEngine {
    /// Launches what is to replace a server beside it, on clones of its volumes, until it is ready and verified; then
    /// removes all of it.
    ///
    /// The caller holds the server's lock.
    /// - Throws: `rehearsal.failed`, with what its machine left behind; then nothing of the server was touched.
    ///   `volume.reformatted` where a guest has formatted one of its volumes.
    func rehearse(_ workspace: ServerWorkspace, _ spec: ServerSpec, isWayBack: Bool) async throws {
        let rehearsal = try rehearsalID(of: workspace.id)
        try refuseTaken(rehearsal, spec)
        // A clone would be found to have been formatted, too; but by then it is gone, and nothing can be returned to on it.
        for name in spec.volumes.keys.sorted() { try await requireMark(workspace.id.lab, name) }
        parts.progress(.note("\(workspace.id): rehearsing on clones of its volumes, as \(rehearsal)"))
        let result: Result<ReplacementReport, any Error>
        do {
            result = .success(try await launchRehearsal(rehearsal, for: workspace, spec, isWayBack))
        } catch {
            result = .failure(error)
        }
        // An interrupted rehearsal leaves nothing either: an unstructured task does not inherit the cancellation.
        try await Task { try await discardRehearsal(rehearsal) }.value
        let report = try result.get()
        guard report.outcome != .committed else { return }
        throw KilnError(
            .rehearsalFailed,
            "the rehearsal of \(workspace.id) on clones of its volumes failed: \(report.turn?.reason ?? "it was halted")",
            hint: report.evidence.map { "what its machine left behind is in \($0)" } ?? hint(of: report.turn),
            cause: report.turn?.cause,
            exit: .aborted
        )
    }

    // What is missing is for the replacement to say.
    private func requireMark(_ lab: Name, _ name: Name) async throws {
        guard try volumes.record(lab: lab, name) != nil else { return }
        try await volumes.requireMark(lab: lab, name)
    }

    // The way back from a format would be one for the clone, which is gone.
    private func hint(of turn: TurnBack?) -> String? {
        guard turn?.code == .volumeReformatted else { return turn?.hint }
        return "take out of user-data or image what formats the clone; the volume itself is as it was"
    }

    private func launchRehearsal(
        _ rehearsal: MemberID,
        for workspace: ServerWorkspace,
        _ spec: ServerSpec,
        _ isWayBack: Bool
    ) async throws -> ReplacementReport {
        let rehearsalWorkspace = self.workspace(rehearsal)
        let lock = try rehearsalWorkspace.lock()
        defer { withExtendedLifetime(lock) {} }
        try DurableFile.writeJSON([workspace.id], to: rehearsalMark(rehearsal))
        var rehearsed = spec
        rehearsed.volumes = [:]
        for (name, path) in spec.volumes.sorted(by: { $0.key < $1.key }) {
            let clone = try rehearsalName(name)
            _ = try await cloneLocked(lab: rehearsal.lab, name, as: clone, for: rehearsal)
            rehearsed.volumes[clone] = path
        }
        rehearsed.ports = spec.ports.mapValues { PortSpec(guest: $0.guest, transport: $0.transport) }
        // It has no clients, and is a member of nothing.
        rehearsed.fleet = nil
        (rehearsed.hold, rehearsed.connections, rehearsed.drainTimeout) = (nil, nil, nil)
        try await publishRehearsal(rehearsal, rehearsed)
        var options = ReplaceOptions()
        options.isWayBack = isWayBack
        // It tries what is to come, which boots.
        options.launch = .boot
        return try await begin(rehearsalWorkspace, spec: rehearsed, options)
    }

    /// Removes the rehearsal of a command that has ended; one that still rehearses is left alone.
    ///
    /// - Throws: `lock.held` where its server is being changed.
    func discardAbandonedRehearsal(_ rehearsal: MemberID) async throws {
        let original = try rehearsalMark(of: rehearsal).flatMap {
            try DurableFile.readJSON([MemberID].self, from: $0)
        }?.first
        let lock = try original.flatMap { id in
            FileManager.default.fileExists(atPath: state.member(id)) ? try workspace(id).lock() : nil
        }
        defer { withExtendedLifetime(lock) {} }
        // Whoever had the lock may have removed it.
        if isRehearsal(rehearsal) { try await discardRehearsal(rehearsal) }
    }

    /// Removes a rehearsal: its machine, its clones and its ports.
    func discardRehearsal(_ rehearsal: MemberID) async throws {
        let workspace = workspace(rehearsal)
        let lock = try workspace.lock()
        defer { withExtendedLifetime(lock) {} }
        for machine in try await parts.machines.machines().keys where machine.member == rehearsal {
            guard try await isOurs(machine) else { continue }
            try await parts.machines.powerOff(machine)
        }
        // By what the clones say of themselves: the lab may be declared otherwise by now, and a user's volume may have
        // such a name.
        for clone in volumes.readableList().volumes where clone.rehearsal == rehearsal {
            if let machine = clone.lease?.machine { try volumes.release(lab: clone.lab, clone.name, from: machine) }
            try volumes.purge(try volumes.retain(lab: clone.lab, clone.name))
        }
        for kept in try volumes.retainedVolumes() where kept.record?.rehearsal == rehearsal {
            try volumes.purge(kept.kept)
        }
        try await publishRehearsal(rehearsal, nil)
        try await remove(workspace)
    }

    /// Whether a server was made for a rehearsal.
    func isRehearsal(_ id: MemberID) -> Bool { rehearsalMark(of: id) != nil }

    /// The server by which another one is rehearsed.
    func rehearsalID(of id: MemberID) throws -> MemberID {
        MemberID(lab: id.lab, server: try rehearsalName(id.own(id.server)))
    }

    private func rehearsalMark(_ rehearsal: MemberID) -> String { state.member(rehearsal) + "/rehearsal" }

    /// The mark of a rehearsal that is there; before 0.2 it was called `canary`.
    private func rehearsalMark(of id: MemberID) -> String? {
        [rehearsalMark(id), state.member(id) + "/canary"].first { FileManager.default.fileExists(atPath: $0) }
    }

    private func rehearsalName(_ name: Name) throws -> Name {
        do {
            return try Name("\(name.text.prefix(Name.longest - 10))-rehearsal")
        } catch {
            throw KilnError(
                .rehearsalNoName,
                "no name for a rehearsal can be made from \(name)",
                hint: "replace without --rehearse, or use a shorter name",
                exit: .usage
            )
        }
    }

    private func refuseTaken(_ rehearsal: MemberID, _ spec: ServerSpec) throws {
        for clone in try spec.volumes.keys.sorted().map(rehearsalName)
        where try volumes.record(lab: rehearsal.lab, clone) != nil {
            throw nameTaken(
                "the rehearsal's clone would be called \(rehearsal.lab)/\(clone), but there is such a volume"
            )
        }
        // A directory alone may be what a killed rehearsal had just made.
        let isDeclared = try lab(rehearsal.lab).servers[rehearsal.server] != nil
        guard try isDeclared || !workspace(rehearsal).journal.history().operations.isEmpty else { return }
        throw nameTaken("a rehearsal would be called \(rehearsal), but the lab has a server of that name")
    }

    private func nameTaken(_ what: String) -> KilnError {
        KilnError(
            .rehearsalNameTaken,
            what,
            hint: "replace without --rehearse, or give that one another name",
            exit: .blocked
        )
    }

    private func publishRehearsal(_ rehearsal: MemberID, _ spec: ServerSpec?) async throws {
        let lock = try await lockLabs()
        defer { withExtendedLifetime(lock) {} }
        let path = state.lab(rehearsal.lab) + "/ports.json"
        var book = try DurableFile.readJSON(PortBook.self, from: path) ?? PortBook()
        var networks = try NetworkBook.read(rehearsal.lab, in: state)
        book.forget(rehearsal.server)
        networks.forget(rehearsal.server)
        if let spec {
            let lab = LabSpec(name: rehearsal.lab, volumes: [:], servers: [rehearsal.server: spec])
            try book.fill(lab, takenElsewhere: try PortBook.taken(in: state), host: parts.ports)
            try networks.fill(lab)
        }
        try DurableFile.writeJSON(book, to: path)
        try networks.write(rehearsal.lab, in: state)
    }
}
