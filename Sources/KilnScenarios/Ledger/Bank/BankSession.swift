import KilnEngine
import KilnModel

/// Keeps transfers being made, over replacements, stops and starts, until the verdict is wanted, and looks at the total meanwhile.
actor BankSession {
    private let plan: BankPlan
    private let statements: BankStatements
    private let open: @Sendable () async throws -> SQLSession
    private let elapsed: @Sendable () -> Duration
    private let seed: RunSeed
    private var acknowledged: Set<BankTransfer> = []
    private var looks: [BankTotal] = []
    private var work: Task<Void, Never>?
    private var trouble: String?

    /// How often the total is looked at.
    private static let lookInterval = Duration.milliseconds(100)
    /// How long a statement may take, and how long the database may be away at the beginning and at the end.
    private static let patience = Duration.seconds(30)

    /// A bank whose database `open` reaches.
    ///
    /// - Parameter seed: what its transfers are made from.
    init(
        _ plan: BankPlan,
        seed: RunSeed = RunSeed(0),
        elapsed: @escaping @Sendable () -> Duration,
        open: @escaping @Sendable () async throws -> SQLSession
    ) {
        self.plan = plan
        self.seed = seed
        self.elapsed = elapsed
        self.open = open
        statements = BankStatements(plan)
    }

    /// A bank in a server's database.
    init(
        _ plan: BankPlan,
        of server: MemberID,
        _ engine: LabEngine,
        seed: RunSeed,
        elapsed: @escaping @Sendable () -> Duration
    ) {
        self.init(plan, seed: seed, elapsed: elapsed) {
            let (login, port) = try await engine.database(plan.table, of: server)
            return try await SQLSession.open(login, port: port)
        }
    }

    /// Makes the accounts and begins.
    ///
    /// - Throws: `KilnError` with codes `sql.failed`, `tool.missing`.
    func start() async throws {
        _ = try await once(statements.setUp)
        work = Task { await run() }
    }

    /// Waits until so many transfers are acknowledged.
    func awaitTransfers(_ wanted: Int, within time: Duration = LedgerSession.patience) async throws {
        let deadline = ContinuousClock.now + time
        while acknowledged.count < wanted {
            guard ContinuousClock.now < deadline else {
                throw Unmet(
                    "\(plan.name): at least \(wanted) acknowledged transfers expected within \(time.components.seconds) s, "
                        + "\(acknowledged.count) found\(trouble.map { "; \($0)" } ?? "")"
                )
            }
            // Other tasks of this process make them; their number is cheap to look at.
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Ends the transfers.
    func stop() async {
        work?.cancel()
        await work?.value
        work = nil
    }

    /// Ends the transfers and judges.
    ///
    /// - Parameter steps: the steps of the run so far.
    func result(among steps: [StepSpan]) async throws -> BankResult {
        await stop()
        let lines = try await once(statements.everything, limit: SQLLedgerConnection.contentsLimit)
        let state = try BankState(lines, of: plan.name)
        return BankResult(plan, acknowledged: acknowledged, looks: looks, state: state, steps: steps)
    }

    private func once(_ statement: String, limit: Int = SQLSession.usualLimit) async throws -> [String] {
        let session = try await open()
        do {
            let lines = try await session.lines(of: statement, within: BankSession.patience, limit: limit)
            await session.close()
            return lines
        } catch {
            await session.close()
            throw error
        }
    }

    private func run() async {
        let (makers, lookers) = (lanes(plan.connections), lanes(1))
        let transfers = BankTransfers(of: plan, seed)
        let pace = RecordPace(plan.rate.map { .seconds(1) / $0 } ?? .zero)
        let lookPace = RecordPace(BankSession.lookInterval)
        await withDiscardingTaskGroup { group in
            group.addTask {
                await makers.run(failed: { await self.note($0) }) { session in
                    try await pace.turn()
                    try await self.make(transfers.next(), session)
                }
            }
            group.addTask {
                await lookers.run(failed: { await self.note($0) }) { session in
                    try await lookPace.turn()
                    try await self.look(session)
                }
            }
        }
    }

    private func lanes(_ count: Int) -> ConnectionLanes<SQLSession> {
        ConnectionLanes(count: count, open: open) { await $0.close() }
    }

    private func note(_ error: any Error) { trouble = (error as? KilnError)?.message ?? "\(error)" }

    private func make(_ transfer: BankTransfer, _ session: SQLSession) async throws {
        _ = try await session.lines(of: statements.make(transfer), within: BankSession.patience)
        acknowledged.insert(transfer)
    }

    private func look(_ session: SQLSession) async throws {
        let time = elapsed()
        let lines = try await session.lines(of: statements.total, within: BankSession.patience)
        // What is no total is none that was right.
        looks.append(BankTotal(lines, at: time) ?? BankTotal(time: time, accounts: 0, total: 0))
    }
}
