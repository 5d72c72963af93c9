import Foundation
import KilnEngine
import KilnModel
import KilnSystem

/// Keeps what helps to understand why a run failed: one directory per run.
struct RunEvidence {
    let engine: LabEngine
    let lab: Name
    /// The external services, whose passwords are not kept.
    var externals: [Name: ExternalAccess] = [:]

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

    /// What the consoles of the machines said last.
    func consoles() async -> [ConsoleExcerpt] {
        let (engine, lab) = (engine, lab)
        return await BlockingWork.run {
            ((try? engine.servers()) ?? []).filter { $0.lab == lab }.compactMap { server in
                guard let machine = try? engine.machine(server), let path = try? engine.consoleLog(server) else {
                    return nil
                }
                return ConsoleExcerpt(of: machine, at: path)
            }
        }
    }

    private func keepGuestLogs(_ server: ServerID, _ directory: String) async {
        for name in ["cloud-init.log", "cloud-init-output.log"] {
            guard let content = try? await engine.read("/var/log/\(name)", on: server, limit: 1 << 20, now: true) else {
                continue
            }
            try? externals.hidden(in: Data(content)).write(to: URL(fileURLWithPath: "\(directory)/\(name)"))
        }
    }
}
