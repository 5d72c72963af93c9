import KilnEngine
import KilnFaults
import KilnModel

/// A fault that is there.
struct OpenFault: Sendable {
    /// Counted through the run.
    let number: Int
    let placed: PlacedFault
    let struck: StruckFault

    var summary: String { placed.action.summary }
}

extension RunContext {
    /// Makes a fault, which is taken back at the end of the run at the latest.
    func strike(_ fault: PlacedFault) async throws -> OpenFault {
        let (action, ground) = (fault.action, ground.on(occasion(of: fault)))
        // An unstructured task does not inherit the cancellation: what is half made would not be taken back.
        let open = try await Task {
            let struck = try await self.within(RunContext.endLimit, action.summary) { try await action.strike(ground) }
            return self.note(struck, of: fault)
        }.value
        try Task.checkCancellation()
        return open
    }

    private func note(_ struck: StruckFault, of fault: PlacedFault) -> OpenFault {
        faultCount += 1
        let open = OpenFault(number: faultCount, placed: fault, struck: struck)
        faults.append(open)
        return open
    }

    /// Takes a fault back, also where the run was interrupted; returns what shows that it hit something.
    ///
    /// - Throws: `fault.not-undone`, else `NotHit`.
    func end(_ open: OpenFault) async throws -> String {
        guard let index = faults.firstIndex(where: { $0.number == open.number }) else { return "" }
        faults.remove(at: index)
        // An unstructured task does not inherit the cancellation.
        return try await Task { try await self.proveAndUndo(open) }.value
    }

    nonisolated private func proveAndUndo(_ open: OpenFault) async throws -> String {
        let proof: Result<String?, any Error>
        do {
            proof = .success(
                try await within(RunContext.endLimit, "the proof of '\(open.summary)'") {
                    try await open.struck.proof()
                }
            )
        } catch { proof = .failure(error) }
        do {
            try await within(RunContext.endLimit, "the end of '\(open.summary)'") { try await open.struck.undo() }
        } catch { throw notUndone(open, error) }
        guard let found = try proof.get() else {
            throw NotHit(
                "'\(open.summary)' was there, and nothing shows that it hit anything",
                hint: "let something use what it breaks while it is there"
            )
        }
        return found
    }

    nonisolated private func notUndone(_ open: OpenFault, _ error: any Error) -> KilnError {
        KilnError(
            .faultNotUndone,
            "'\(open.summary)' could not be taken back",
            hint: "the run's lab is not to be trusted any more; 'kiln down \(lab.name)' removes what is left of it",
            cause: "\(error)",
            exit: .halted
        )
    }

    /// Takes back all that is there, the last one first, each of them whatever became of the others.
    ///
    /// - Returns: the first failure, that something could not be taken back before all others; and how many there were.
    func endFaults(from count: Int) async -> (failure: (any Error)?, count: Int) {
        let left = Array(faults.reversed())
        var failures: [any Error] = []
        for (index, open) in left.enumerated() {
            let (begin, id) = (events.elapsed, StepID.root.child(count + index + 1))
            let name = "end of \(open.summary)"
            events.emit(.stepBegan(id: id, kind: FaultStep.kind.word, name: name, place: open.placed.place))
            let outcome = await Task { try await self.end(open) }.result
            if case .failure(let failure) = outcome { failures.append(failure) }
            record(StepResult(fault: open.placed, id: id, name: name, begin: begin, end: events.elapsed, outcome))
        }
        let worst = failures.first { ($0 as? KilnError)?.code == .faultNotUndone }
        return (worst ?? failures.first, left.count)
    }
}

extension StepResult {
    /// What came of a fault: what shows that it hit, or why not.
    init(
        fault: PlacedFault,
        id: StepID,
        name: String,
        begin: Duration,
        end: Duration,
        _ outcome: Result<String, any Error>
    ) {
        let detail: String
        let isHit: Bool
        switch outcome {
        case .success(let proof): (detail, isHit) = (proof, true)
        case .failure(let failure): (detail, isHit) = ("\(failure)", false)
        }
        self.init(
            id: id,
            kind: FaultStep.kind.word,
            place: fault.place,
            name: name,
            outcome: isHit ? .passed : .failed,
            begin: begin,
            end: end,
            detail: detail
        )
    }
}
