import Foundation
import KilnEngine
import KilnModel

/// Keeps what helps to understand why a run failed: one directory per run.
struct RunEvidence {
    let engine: LabEngine
    let lab: Name

    /// Copies console logs, definitions, journals and, where a guest still answers, cloud-init's logs; returns the
    /// directory, or nothing where there was nothing to keep.
    func keep() async -> String? {
        var kept: String?
        for server in ((try? engine.servers()) ?? []).filter({ $0.lab == lab }) {
            guard let directory = try? await engine.keepEvidence(server) else { continue }
            await keepGuestLogs(server, directory)
            kept = kept ?? directory
        }
        return kept
    }

    private func keepGuestLogs(_ server: ServerID, _ directory: String) async {
        for name in ["cloud-init.log", "cloud-init-output.log"] {
            guard let content = try? await engine.read("/var/log/\(name)", on: server, limit: 1 << 20, now: true) else {
                continue
            }
            try? Data(content).write(to: URL(fileURLWithPath: "\(directory)/\(name)"))
        }
    }
}
