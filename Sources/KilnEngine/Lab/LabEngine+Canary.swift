import Foundation
import KilnModel
import KilnSystem

/// A canary: a server that lives as long as one rehearsal, from the new image, on clones of the real volumes.
extension LabEngine {
    /// Launches what is to replace a server beside it, on clones of its volumes, until it is ready and verified; then
    /// removes all of it.
    ///
    /// The caller holds the server's lock.
    /// - Throws: `canary.failed`, with what its machine left behind; then nothing of the server was touched.
    func rehearse(_ workspace: ServerWorkspace, _ spec: ServerSpec) async throws {
        let canary = try canaryID(of: workspace.id)
        try refuseTaken(canary, spec)
        parts.progress(.note("\(workspace.id): rehearsing on clones of its volumes, as \(canary)"))
        let result: Result<ReplacementReport, any Error>
        do {
            result = .success(try await launchCanary(canary, for: workspace, spec))
        } catch {
            result = .failure(error)
        }
        // An interrupted rehearsal leaves nothing either: an unstructured task does not inherit the cancellation.
        try await Task { try await discardCanary(canary) }.value
        let report = try result.get()
        guard report.outcome != .committed else { return }
        throw KilnError(
            .canaryFailed,
            "the rehearsal of \(workspace.id) on clones of its volumes failed: \(report.turn?.reason ?? "it was halted")",
            hint: report.evidence.map { "what its machine left behind is in \($0)" } ?? report.turn?.hint,
            cause: report.turn?.cause,
            exit: .aborted
        )
    }

    private func launchCanary(
        _ canary: ServerID,
        for workspace: ServerWorkspace,
        _ spec: ServerSpec
    ) async throws -> ReplacementReport {
        let canaryWorkspace = self.workspace(canary)
        let lock = try canaryWorkspace.lock()
        defer { withExtendedLifetime(lock) {} }
        try DurableFile.writeJSON([workspace.id], to: canaryMark(canary))
        var rehearsed = spec
        rehearsed.volumes = [:]
        for (name, path) in spec.volumes.sorted(by: { $0.key < $1.key }) {
            let clone = try canaryName(name)
            _ = try await cloneLocked(lab: canary.lab, name, as: clone, for: canary)
            rehearsed.volumes[clone] = path
        }
        rehearsed.ports = spec.ports.mapValues { PortSpec(guest: $0.guest, host: nil) }
        try publishCanary(canary, rehearsed)
        return try await begin(canaryWorkspace, spec: rehearsed)
    }

    /// Removes the canary of a command that has ended; one that still rehearses is left alone.
    ///
    /// - Throws: `lock.held` where its server is being changed.
    func discardAbandonedCanary(_ canary: ServerID) async throws {
        let original = try DurableFile.readJSON([ServerID].self, from: canaryMark(canary))?.first
        let lock = try original.flatMap { id in
            FileManager.default.fileExists(atPath: state.server(id)) ? try workspace(id).lock() : nil
        }
        defer { withExtendedLifetime(lock) {} }
        // Whoever had the lock may have removed it.
        if isCanary(canary) { try await discardCanary(canary) }
    }

    /// Removes a canary: its machine, its clones and its ports.
    func discardCanary(_ canary: ServerID) async throws {
        let workspace = workspace(canary)
        let lock = try workspace.lock()
        defer { withExtendedLifetime(lock) {} }
        for machine in try await parts.machines.machines().keys where machine.server == canary {
            try await parts.machines.powerOff(machine)
        }
        // By what the clones say of themselves: the lab may be declared otherwise by now, and a user's volume may have
        // such a name.
        for clone in volumes.readableList().volumes where clone.rehearsal == canary {
            if let machine = clone.lease?.machine { try volumes.release(lab: clone.lab, clone.name, from: machine) }
            try volumes.purge(try volumes.retain(lab: clone.lab, clone.name))
        }
        for kept in try volumes.retainedVolumes() where kept.record?.rehearsal == canary {
            try volumes.purge(kept.kept)
        }
        try publishCanary(canary, nil)
        try await remove(workspace)
    }

    /// Whether a server was made for a rehearsal.
    func isCanary(_ id: ServerID) -> Bool { FileManager.default.fileExists(atPath: canaryMark(id)) }

    /// The server by which another one is rehearsed.
    func canaryID(of id: ServerID) throws -> ServerID { ServerID(lab: id.lab, server: try canaryName(id.server)) }

    private func canaryMark(_ canary: ServerID) -> String { state.server(canary) + "/canary" }

    private func canaryName(_ name: Name) throws -> Name {
        do {
            return try Name("\(name.text.prefix(Name.longest - 7))-canary")
        } catch {
            throw KilnError(
                .canaryNoName,
                "no name for a rehearsal can be made from \(name)",
                hint: "replace without --canary, or use a shorter name",
                exit: .usage
            )
        }
    }

    private func refuseTaken(_ canary: ServerID, _ spec: ServerSpec) throws {
        for clone in try spec.volumes.keys.sorted().map(canaryName)
        where try volumes.record(lab: canary.lab, clone) != nil {
            throw nameTaken("the rehearsal's clone would be called \(canary.lab)/\(clone), but there is such a volume")
        }
        // A directory alone may be what a killed rehearsal had just made.
        let isDeclared = try lab(canary.lab).servers[canary.server] != nil
        guard try isDeclared || !workspace(canary).journal.history().operations.isEmpty else { return }
        throw nameTaken("a rehearsal would be called \(canary), but the lab has a server of that name")
    }

    private func nameTaken(_ what: String) -> KilnError {
        KilnError(
            .canaryNameTaken,
            what,
            hint: "replace without --canary, or give that one another name",
            exit: .blocked
        )
    }

    private func publishCanary(_ canary: ServerID, _ spec: ServerSpec?) throws {
        let lock = try FileLock(state.labs + "/lock", subject: "the list of labs")
        defer { withExtendedLifetime(lock) {} }
        let path = state.lab(canary.lab) + "/ports.json"
        var book = try DurableFile.readJSON(PortBook.self, from: path) ?? PortBook()
        book.forget(canary.server)
        if let spec {
            let lab = LabSpec(name: canary.lab, volumes: [:], servers: [canary.server: spec])
            try book.fill(lab, takenElsewhere: try PortBook.published(in: state), host: parts.ports)
        }
        try DurableFile.writeJSON(book, to: path)
    }
}
