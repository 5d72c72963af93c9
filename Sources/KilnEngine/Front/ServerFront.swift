import Foundation
import KilnModel
import KilnSystem

/// The front of a server: who serves which port, as it was decided last, and the process that follows.
///
/// Whoever uses it has the server's lock.
struct ServerFront: Sendable {
    let id: ServerID
    let state: StateDirectory
    let parts: EngineParts

    /// What was decided last; nothing where the server has no front.
    func plan() throws -> FrontPlan? { try DurableFile.readJSON(FrontPlan.self, from: state.frontPlan(id)) }

    /// Does what was decided: written down first, then done.
    ///
    /// Other ports, or another way to keep clients, that can't be had leave those of before.
    func follow(_ plan: FrontPlan) async throws {
        let before = try self.plan()
        if plan != before { try DurableFile.writeJSON(plan, to: state.frontPlan(id)) }
        do {
            try await parts.fronts.apply(plan, to: id)
        } catch {
            if plan.ports != before?.ports || plan.spec != before?.spec { await goBack(to: before) }
            throw error
        }
    }

    /// Ends it; what waits in it is cut.
    func end() async throws {
        guard FileManager.default.fileExists(atPath: state.frontPlan(id)) else { return }
        try await parts.fronts.end(id)
        try DurableFile.remove(state.frontPlan(id))
    }

    // The error that led here is the one that counts.
    private func goBack(to before: FrontPlan?) async {
        do {
            guard let before else { return try await end() }
            try DurableFile.writeJSON(before, to: state.frontPlan(id))
            try await parts.fronts.apply(before, to: id)
        } catch {
            parts.progress(.note("the front of \(id) is not what it was: \(KilnError.wrapping(error).message)"))
        }
    }
}
