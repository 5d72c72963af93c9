import Foundation
import KilnModel
import KilnSystem

/// The front of a server: who serves which port, as it was decided last, and the process that follows.
///
/// Whoever uses it has the lock of one of the server's members, so what is decided for all of them has a lock of its own.
struct ServerFront: Sendable {
    let id: ServerID
    let state: StateDirectory
    let parts: EngineParts

    /// What was decided last; nothing where the server has no front.
    func plan() throws -> FrontPlan? { try DurableFile.readJSON(FrontPlan.self, from: state.frontPlan(id)) }

    /// Changes what was decided: written down first, then done; nothing where `change` gives nothing.
    ///
    /// - Parameter change: is given what was decided last, and nothing where the server has no front.
    func change(_ change: (FrontPlan?) async throws -> FrontPlan?) async throws {
        try await locked {
            guard let plan = try await change(try plan()) else { return }
            try await follow(plan)
        }
    }

    // Another member's turn takes moments, and a start of the process at most.
    private func locked(_ body: () async throws -> Void) async throws {
        try DurableFile.makeDirectory(state.server(id))
        let lock = try await FileLock.whenFree(
            state.frontChange(id),
            subject: "the front of \(id)",
            within: .seconds(60)
        )
        defer { withExtendedLifetime(lock) {} }
        try await body()
    }

    /// Does what was decided.
    ///
    /// Other ports, or another way to keep clients, that can't be had leave those of before.
    private func follow(_ plan: FrontPlan) async throws {
        let before = try self.plan()
        if plan != before { try DurableFile.writeJSON(plan, to: state.frontPlan(id)) }
        do {
            try await parts.fronts.apply(plan, to: id)
        } catch {
            if plan.ports != before?.ports || plan.spec != before?.spec { await goBack(to: before) }
            throw error
        }
    }

    /// Strikes a member out; without a member it ends, and what waits in it is cut.
    func leave(_ ordinal: Int) async throws {
        guard FileManager.default.fileExists(atPath: state.frontPlan(id)) else { return }
        try await locked {
            guard var plan = try plan() else { return }
            plan[ordinal] = FrontPlan.Slot(ordinal: ordinal)
            guard plan.slots.contains(where: { $0.generation != nil }) else { return try await end() }
            try await follow(plan)
        }
    }

    private func end() async throws {
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
