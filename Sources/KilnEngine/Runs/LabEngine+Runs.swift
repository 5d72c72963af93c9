import Foundation
import KilnModel
import KilnSystem

extension LabEngine {
    /// Removes the labs of runs that were killed: their machines go, their volumes are retained.
    ///
    /// Labs that their runs kept stay until their user has taken them down.
    /// - Parameter dryRun: whether to tell only.
    /// - Returns: what was removed, or would be, a line each.
    public func removeAbandonedRuns(dryRun: Bool = false) async throws -> [String] {
        var removed: [String] = []
        for files in RunFiles.all(in: state) {
            // Who holds the lock lives.
            guard let lock = try? FileLock(files.lock, subject: "the run \(files.lab)") else { continue }
            defer { withExtendedLifetime(lock) {} }
            do {
                if try files.record()?.isKept == true {
                    // Who looks at the lab has no use for what only the run could end, and did not.
                    let left = externals(of: files.lab)
                    if !dryRun { try await parts.externals.end(of: files.lab) }
                    removed += left.map { "external \($0)" }
                    // Its user took it down; what was retained then is the user's.
                    if !dryRun, !isThere(files.lab) { try files.remove() }
                    continue
                }
                let volumes = volumes.names(of: files.lab)
                let externals = externals(of: files.lab)
                if !dryRun { try await discard(files, purging: false) }
                removed.append("run \(files.lab)" + (volumes.isEmpty ? "" : ", its volumes retained"))
                removed += externals.map { "external \($0)" }
            } catch let error as KilnError {
                // One that can't be removed keeps nobody from the others.
                parts.progress(.note("the run \(files.lab) is still there: \(error.message)"))
            }
        }
        return removed
    }

    /// The scenario of the run that a lab belongs to; nothing for a lab of a user.
    public func scenario(ofRun lab: Name) -> Name? {
        (try? RunFiles(lab: lab, state: state).record())?.scenario
    }

    /// Whether the run that a lab belongs to goes on.
    public func isGoingOn(run lab: Name) -> Bool {
        ([state] + state.worlds).contains { state in
            let files = RunFiles(lab: lab, state: state)
            // Who holds the lock lives.
            return files.exist && (try? FileLock(files.lock, subject: "the run \(lab)")) == nil
        }
    }

    private func isThere(_ lab: Name) -> Bool {
        FileManager.default.fileExists(atPath: state.lab(lab)) || !volumes.names(of: lab).isEmpty
    }

    /// Removes a run's lab; the volumes are retained first, whatever becomes of them then.
    func discard(_ files: RunFiles, purging: Bool) async throws {
        if FileManager.default.fileExists(atPath: state.lab(files.lab)) { try await down(files.lab) }
        try await parts.externals.end(of: files.lab)
        try discardVolumes(of: files.lab, purging: purging)
        try files.remove()
    }

    /// Retains the volumes of a lab that is down, and purges them where nobody is to look at them any more.
    func discardVolumes(of lab: Name, purging: Bool) throws {
        for volume in volumes.names(of: lab) { _ = try volumes.retain(lab: lab, volume, ofRun: true) }
        // Also what a return to a snapshot has retained.
        let retained = try volumes.claimRetained(ofRun: lab)
        if purging { try retained.forEach(volumes.purge) }
        try removeScratchFiles(of: lab)
        _ = try volumes.removeHalfMade(of: lab)
        // Nobody else has volumes of that lab, so nobody waits for their lock.
        let folder = "\(state.volumes)/\(lab)"
        unlink(folder + "/.lock")
        rmdir(folder)
    }

    private func removeScratchFiles(of lab: Name) throws {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: state.root + "/scratch")) ?? []
        for entry in entries where entry.hasPrefix("\(lab).") && !entry.hasSuffix(".lab-lock") {
            try removeScratchFile(entry)
        }
    }

    /// Purges the retained volumes of runs, and no others.
    ///
    /// - Parameter dryRun: whether to tell only.
    /// - Returns: the names of those that were purged, or would be.
    public func pruneRunVolumes(dryRun: Bool = false) throws -> [String] {
        let old = try volumes.retainedVolumes().filter { $0.record?.isOfRun == true }.map(\.kept)
        if !dryRun { try old.forEach(volumes.purge) }
        return old
    }
}
