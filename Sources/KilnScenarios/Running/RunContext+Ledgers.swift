import KilnEngine
import KilnModel

/// What is written while steps go on.
enum RunningLedger: Sendable {
    /// Records, with the volume that they go to.
    case records(LedgerPlan, LedgerSession, volume: VolumeID?)
    /// Transfers.
    case transfers(BankPlan, BankSession)

    var server: Name {
        switch self {
        case .records(let plan, _, _): plan.server
        case .transfers(let plan, _): plan.server
        }
    }

    func stop() async {
        switch self {
        case .records(_, let session, _): await session.stop()
        case .transfers(_, let session): await session.stop()
        }
    }
}

extension RunContext {
    /// Starts a ledger's writer, and waits for the first acknowledgement.
    ///
    /// - Throws: `Unmet` where the ledger is being written already, as where a retry comes back to the step: what was acknowledged
    ///   until then would never be verified.
    func beginLedger(_ plan: LedgerPlan) async throws {
        try requireNew(plan.name)
        let (server, events) = (id(plan.server), events)
        let session = try LedgerSession(
            plan,
            of: server,
            engine,
            network,
            list: try engine.makeScratchFile(AcknowledgementList.name(lab: lab.name, ledger: plan.name)),
            tell: { events.emit(.found(.acknowledged(ledger: plan.name, server: plan.server, total: $0))) },
            elapsed: { events.elapsed }
        )
        let volume = LedgerFacts.volume(of: plan.file, on: server, engine)?.id
        begin(.records(plan, session, volume: volume), plan.name)
        try await start(plan.name) { [scale] in
            try await session.start(within: scale.of(LedgerSession.patience))
        }
    }

    private func requireNew(_ name: Name) throws {
        guard ledgers[name] == nil else {
            throw Unmet(
                "a ledger that is begun once expected, and '\(name)' is being written already",
                hint: "let no 'retry' hold both the step that begins it and one that fails"
            )
        }
    }

    // What could not be started may be tried again.
    private func start(_ name: Name, _ body: () async throws -> Void) async throws {
        do { try await body() } catch {
            await stopLedger(name)
            throw error
        }
    }

    /// Makes a bank's accounts, and starts its transfers.
    ///
    /// - Throws: `Unmet` where that goes on already.
    func beginBank(_ plan: BankPlan) async throws {
        try requireNew(plan.name)
        let events = events
        let session = BankSession(plan, of: id(plan.server), engine, seed: seed) { events.elapsed }
        begin(.transfers(plan, session), plan.name)
        try await start(plan.name) { try await session.start() }
    }

    /// Ends what is written once so much is acknowledged, and judges.
    ///
    /// - Throws: `DataLoss`.
    func endLedger(_ name: Name, on server: Name, atLeast count: Int) async throws -> (
        message: String, acknowledged: Int
    ) {
        guard let ledger = ledgers[name], ledger.server == server else {
            throw Unmet("\(server): no ledger '\(name)' is being written")
        }
        switch ledger {
        case .records(let plan, let session, let volume):
            try await session.awaitRecords(count, within: scale.of(LedgerSession.patience))
            let (id, engine) = (id(server), engine)
            let result = try await session.result(among: spans) {
                await LedgerFacts.recorded(file: plan.file, on: id, written: volume, engine)
            }
            ended(name, result)
            if let loss = DataLoss(result) { throw loss }
            return (ReportText.verdict(result.verdict), result.verdict.acknowledged)
        case .transfers(_, let session):
            try await session.awaitTransfers(count, within: scale.of(LedgerSession.patience))
            let result = try await session.result(among: spans)
            ended(name, result)
            if let loss = DataLoss(result) { throw loss }
            return (result.description, result.acknowledged)
        }
    }
}

extension LedgerPlan {
    /// Whether a program in the guest writes it, of which a machine has one.
    var isInGuest: Bool { if case .agent = path { true } else { false } }

    /// The file in the guest that holds its records, where it is known.
    var file: String? {
        switch path {
        case .agent(let file): file
        case .http(let service): if case .file(let file) = service.contents { file } else { nil }
        case .sql, .external: nil
        }
    }
}
