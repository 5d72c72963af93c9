import Foundation
import KilnEngine
import KilnModel

extension RunContext {
    /// Starts the scenario's external services, before its first step.
    ///
    /// - Throws: `KilnError` with a code `external.…`.
    func startExternals() async throws {
        guard !scenario.externals.isEmpty else { return }
        let started = try await engine.startExternals(scenario.externals, of: lab.name)
        events.hide(RunSecrets(started.values.map(\.password)))
        know(started)
    }

    /// Ends them, and after a failure keeps what they said.
    ///
    /// - Throws: `KilnError` where one could not be ended; the next run tries again.
    func endExternals(keepsLogs: Bool) async throws {
        guard !scenario.externals.isEmpty else { return }
        if keepsLogs {
            for name in scenario.externals.keys.sorted() {
                guard let log = await engine.externalLog(ExternalID(lab: lab.name, name: name)) else { continue }
                // A log that can't be kept keeps nothing from being ended.
                _ = try? keep(Array(events.secrets.hidden(Data(log))), as: "external-\(name).log")
            }
        }
        try await engine.endExternals(of: lab.name)
    }
}
