import KilnEngine
import KilnModel
import Synchronization

/// How a replacement ends.
enum ReplacementEnd: String, Sendable, Hashable, CaseIterable {
    /// The new generation serves.
    case committed
    /// The new one failed after the volumes had moved; the old one serves again.
    case reverted
    /// Given up before anything that serves was touched.
    case aborted
    /// Neither way was safe; both machines are off.
    case halted
}

/// A replacement that has to end in a way, and is measured.
struct JudgedReplacement {
    /// What can be saved of one.
    static let outputs = ["generation", "unavailable-ms"]

    let server: MemberID
    let expected: ReplacementEnd

    func perform(
        _ context: RunContext,
        _ body: @escaping @Sendable () async throws -> ReplacementEnding
    ) async throws -> StepYield {
        let (ending, log): (ReplacementEnding, AvailabilityLog?)
        let began = Mutex(Duration.zero)
        do {
            (ending, log) = try await Unavailability.log(of: server, context.engine, context.network) {
                began.withLock { $0 = context.events.elapsed }
                return try await body()
            }
        } catch let error as KilnError where error.code == .rehearsalFailed && expected == .aborted {
            // A rehearsal that failed leaves no report: the replacement never began.
            return StepYield(message: error.message)
        }
        if let log { await context.note(log, of: server.server, work: began.withLock { $0 }) }
        let status = try await context.engine.status(server)
        await context.remember([status])
        try judge(ending)
        let milliseconds = log.map { Int($0.longestGap / .milliseconds(1)) }
        return StepYield(
            message: milliseconds.map { "unavailable \($0) ms" },
            outputs: [
                "generation": status.generation.map(\.description) ?? "",
                "unavailable-ms": milliseconds.map(String.init) ?? "",
            ]
        )
    }

    private func judge(_ ending: ReplacementEnding) throws {
        guard ending.outcome.rawValue != expected.rawValue else { return }
        let reason = ending.reason ?? "nothing stood in its way"
        throw Unmet(
            "\(server.server): a replacement that is \(expected.rawValue) expected, \(ending.outcome.rawValue) found: \(reason)",
            hint: ending.evidence.map { "what the new machine left behind is in \($0)" },
            exit: ending.outcome == .committed ? .unmet : ending.exit
        )
    }
}

/// What has to be known of a replacement that has ended.
struct ReplacementEnding: Sendable {
    let outcome: Outcome
    let reason: String?
    let evidence: String?
    let exit: ExitCode

    /// What the process that made it found.
    init(_ report: ReplacementReport) {
        outcome = report.outcome
        reason = report.turn?.reason ?? report.reason
        evidence = report.evidence
        exit = report.exit
    }

    /// How a rollout ended: all members are new, or none is any more; anything between is for a person.
    init(_ report: RolloutReport) {
        outcome =
            switch report.outcome {
            case .completed: .committed
            case .rolledBack, .aborted: .reverted
            case .degraded, nil: .halted
            }
        reason = report.failure?.reason ?? report.sentence
        evidence = nil
        exit = report.exit
    }

    /// What a server's journal tells of its latest one; nothing where that has not ended.
    init?(_ history: ServerHistory) {
        guard let latest = history.operations.last?.replacement, let outcome = latest.outcome else { return nil }
        self.outcome = outcome
        reason = latest.turn?.reason ?? latest.reason
        evidence = nil
        exit =
            switch outcome {
            case .committed: .done
            case .aborted: .aborted
            case .reverted: .reverted
            case .halted: .halted
            }
    }
}
