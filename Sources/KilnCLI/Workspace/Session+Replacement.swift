import KilnEngine
import KilnModel
import KilnScenarios

extension Session {
    /// Opens the host, has a server replaced, and shows what became of it: its phases, and how long its service was away.
    ///
    /// - Parameter body: replaces it.
    /// - Returns: the exit status.
    func replace(
        _ server: String,
        _ body: @escaping @Sendable (LabEngine, ServerID) async throws -> ReplacementReport
    ) async throws -> Int32 {
        let timeline = Timeline()
        let workspace = try await workspace { timeline.record($0) }
        let engine = workspace.engine
        let id = try engine.server(named: server)
        let (report, unavailable) = try await Unavailability.measured(of: id, engine, workspace.parts.network) {
            try await body(engine, id)
        }
        timeline.end()
        // A rehearsal's own phases are not the server's.
        let phases = timeline.reported.filter { $0.server == id.server }
        try show(ReplacementResult(report: report, phases: phases, unavailable: unavailable))
        return report.exit.rawValue
    }
}
