import KilnEngine
import KilnModel

// Stand-ins for what other targets don't offer yet. Each goes away with the real one.

extension LabEngine {
    func collectGarbage(dryRun: Bool) async throws -> [String] {
        throw KilnError("pending", "collecting garbage is not part of this build")
    }
}
