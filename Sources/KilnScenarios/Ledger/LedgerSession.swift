import KilnEngine
import KilnModel

/// Keeps a ledger being written, over replacements, stops and starts, until its verdict is wanted.
///
/// What is acknowledged is noted durably, and when, before it counts.
actor LedgerSession {
    /// Its name.
    nonisolated let name: Name
    private let server: Name
    private let path: any LedgerPath
    private let elapsed: @Sendable () -> Duration
    private let tell: @Sendable (Int) -> Void
    private var told: (count: Int, time: Duration)?
    private var acknowledgements: AcknowledgementList
    private var times: [Acknowledgement: Duration] = [:]
    private var following: Task<Void, Never>?
    private var failure: (any Error)?
    private var trouble: String?
    /// How long so many records may take that somebody waits for.
    static let patience = Duration.seconds(180)

    /// A ledger that is not yet written.
    ///
    /// - Parameters:
    ///   - list: the path of the file with what was acknowledged.
    ///   - tell: is told now and then how many records are acknowledged.
    ///   - elapsed: the time since the start of the run.
    init(
        _ name: Name,
        of server: Name,
        _ path: any LedgerPath,
        list: String,
        tell: @escaping @Sendable (Int) -> Void = { _ in },
        elapsed: @escaping @Sendable () -> Duration
    ) throws {
        self.name = name
        self.server = server
        self.path = path
        self.elapsed = elapsed
        self.tell = tell
        acknowledgements = try AcknowledgementList(at: list)
    }

    /// Starts the writer and waits for its first acknowledgement.
    func start(within time: Duration = LedgerSession.patience) async throws {
        following = Task { await follow() }
        try await awaitRecords(1, within: time)
    }

    /// Waits until so many records are acknowledged.
    func awaitRecords(_ wanted: Int, within time: Duration = LedgerSession.patience) async throws {
        let deadline = ContinuousClock.now + time
        while acknowledgements.count < wanted {
            if let failure { throw failure }
            guard ContinuousClock.now < deadline else {
                throw Unmet(
                    "\(name): at least \(wanted) acknowledged records expected within \(time.components.seconds) s, "
                        + "\(acknowledgements.count) found\(trouble.map { "; \($0)" } ?? "")"
                )
            }
            // The list is fed by another task of this process; its count is cheap to look at.
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Stops the writer.
    func stop() async {
        await path.stop()
        following?.cancel()
        await following?.value
        following = nil
        if acknowledgements.count != told?.count ?? 0 { tell(acknowledgements.count) }
    }

    /// Stops the writer and compares what was acknowledged with what the server holds.
    func finding() async throws -> LedgerFinding {
        await stop()
        var check = LedgerCheck(acknowledged: try AcknowledgementList.read(acknowledgements.path))
        check.take(try await path.contents())
        return check.finding()
    }

    /// Stops the writer and gives the counts.
    func verdict() async throws -> LedgerVerdict { try await finding().verdict }

    /// Stops the writer and judges.
    ///
    /// - Parameters:
    ///   - steps: the steps of the run so far.
    ///   - facts: gives what the engine recorded; asked only where records are lost.
    func result(among steps: [StepSpan], facts: @Sendable () async -> LedgerFacts) async throws -> LedgerResult {
        let finding = try await finding()
        let known = finding.verdict.lost > 0 ? await facts() : nil
        return LedgerResult(name: name, server: server, finding: finding, times: times, steps: steps, facts: known)
    }

    private func follow() async {
        while !Task.isCancelled {
            do {
                try await path.write { [weak self] in
                    try await self?.note($0)
                } trouble: { [weak self] in
                    await self?.note($0)
                }
            } catch { failure = error }
            // The next machine may be made by another process, of whose journal no event tells.
            try? await Task.sleep(for: .milliseconds(100))
        }
    }

    // A service may be away for a while; a host without the program or with a full disk will not do.
    private func note(_ error: any Error) {
        trouble = (error as? KilnError)?.message ?? "\(error)"
        if let known = error as? KilnError, [.toolMissing, .ledgerListFailed].contains(known.code) { failure = known }
    }

    // Where a batch comes, even an empty one, the way is good again.
    private func note(_ batch: [Acknowledgement]) throws {
        try acknowledgements.append(batch)
        failure = nil
        let now = elapsed()
        for acknowledgement in batch { times[acknowledgement] = now }
        // A report needs no more than that, and a run may go on for hours.
        guard now - (told?.time ?? .seconds(-1)) >= .milliseconds(500) else { return }
        told = (acknowledgements.count, now)
        tell(acknowledgements.count)
    }
}

extension LedgerSession {
    /// A ledger as a scenario asks for it.
    init(
        _ plan: LedgerPlan,
        of server: MemberID,
        _ engine: LabEngine,
        _ network: any NetworkProbe,
        list: String,
        tell: @escaping @Sendable (Int) -> Void,
        elapsed: @escaping @Sendable () -> Duration
    ) throws {
        try self.init(
            plan.name,
            of: plan.server,
            plan.way(to: server, engine, network),
            list: list,
            tell: tell,
            elapsed: elapsed
        )
    }

    /// A ledger that a program in the guest writes to a file there.
    init(engine: LabEngine, server: MemberID, path: String, list: String) throws {
        let start = ContinuousClock.now
        let path = AgentPath(engine: engine, server: server, file: path)
        try self.init(server.server, of: server.server, path, list: list) { ContinuousClock.now - start }
    }
}
