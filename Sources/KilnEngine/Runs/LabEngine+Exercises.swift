import Foundation
import KilnModel
import KilnSystem

/// Labs in which somebody learns: they are a user's while he works in them, and go without a trace.
extension LabEngine {
    /// Whether anything has this lab's name: the lab, one of its volumes, or one that is retained.
    ///
    /// - Throws: `KilnError` where that can't be read.
    public func isTaken(_ lab: Name) throws -> Bool {
        if FileManager.default.fileExists(atPath: state.lab(lab)) || !volumes.names(of: lab).isEmpty { return true }
        return try volumes.retainedVolumes().contains { $0.record?.lab == lab }
    }

    /// Removes a lab, and for good what its volumes hold, also those that were retained; what is not there is no error.
    ///
    /// Only for a lab whose volumes are known to hold nothing of anybody's. Each is retained first, so one that something
    /// still uses stays.
    /// - Throws: `KilnError`; what is left then can be removed once more.
    public func discard(exercise lab: Name) async throws {
        if FileManager.default.fileExists(atPath: state.lab(lab)) { try await down(lab) }
        try discardVolumes(of: lab, purging: true)
    }
}
