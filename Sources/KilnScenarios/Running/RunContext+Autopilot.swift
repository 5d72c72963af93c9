import KilnEngine
import KilnModel
import Synchronization

extension RunContext {
    /// What an autopilot did for a server until that was as it should be.
    struct Flight: Sendable {
        let report: AutopilotReport
        let took: Duration
        /// What was done, with the figures that led to it.
        let acts: [AutopilotLine]

        /// What a step tells of it.
        var message: String {
            let done = acts.map { "\($0.decision) \($0.member.ownName): \($0.text)" }
            return "after \(took.words); \(done.isEmpty ? "nothing was to be done" : done.joined(separator: "; "))"
        }

        /// The time that it took, as it is saved.
        var milliseconds: String { "\(Int(took / .milliseconds(1)))" }
    }

    /// Lets an autopilot look after the run's lab until a server is as it should be.
    ///
    /// - Parameters:
    ///   - limit: how long that may take.
    ///   - wanted: what the server should be, for who reads that it is not.
    /// - Throws: `Unmet` with the autopilot's last word on the server where it is not, or will not be without a person.
    nonisolated func autopilot(
        until goal: AutopilotGoal,
        within limit: Duration,
        _ summary: String,
        wanted: String
    ) async throws -> Flight {
        let told = Mutex<[AutopilotLine]>([])
        let begin = ContinuousClock.now
        let report: AutopilotReport
        do {
            report = try await within(step: limit, summary) {
                try await self.engine.autopilot(self.lab.name, AutopilotOptions(until: goal)) { line in
                    told.withLock { $0.append(line) }
                    self.events.record(.note("\(line.member.title): \(line.text)"))
                }
            }
        } catch let unmet as Unmet {
            // The last word on it says more than that the time is up.
            throw Unmet("\(unmet)\(lastWord(told, on: goal).map { "; \($0)" } ?? "")", exit: unmet.exit)
        }
        await remember(try await engine.statuses(lab.name))
        if report.stuck.contains(where: { $0.whole == goal.server }) {
            throw Unmet("\(goal.server.server) \(wanted): \(lastWord(told, on: goal) ?? "it is stuck")")
        }
        let lines = told.withLock { $0 }
        let acts = lines.filter { AutopilotAct(rawValue: $0.decision) != nil || $0.decision.hasPrefix("scale-") }
        return Flight(report: report, took: ContinuousClock.now - begin, acts: acts)
    }

    private nonisolated func lastWord(_ told: borrowing Mutex<[AutopilotLine]>, on goal: AutopilotGoal) -> String? {
        told.withLock { $0.last { $0.member.whole == goal.server }?.text }
    }
}
