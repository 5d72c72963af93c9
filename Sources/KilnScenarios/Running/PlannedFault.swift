import KilnEngine
import KilnFaults
import KilnModel

/// A fault that waits for its moment, then is there, then is over.
actor PlannedFault {
    private enum State {
        case waiting
        case making
        case open(OpenFault)
        case over(Result<String, any Error>)
    }

    private let during: DuringFault
    private let context: RunContext
    private let id: StepID
    private var state = State.waiting
    private var span: (begin: Duration, end: Duration?)

    init(_ during: DuringFault, _ context: RunContext, as id: StepID) {
        self.during = during
        self.context = context
        self.id = id
        span = (context.events.elapsed, nil)
    }

    private var name: String { during.description }

    /// Makes it, the first time that its moment comes.
    func begin() async {
        guard case .waiting = state else { return }
        state = .making
        span.begin = context.events.elapsed
        context.events.emit(
            .stepBegan(id: id, kind: FaultStep.kind.word, name: name, place: during.fault.place)
        )
        do {
            state = .open(try await context.strike(during.fault))
        } catch { close(.failure(error)) }
        if during.fault.action.isMomentary { await end() }
    }

    /// Takes it back, where it is there.
    func end() async {
        guard case .open(let open) = state else { return }
        state = .making
        do {
            close(.success(try await context.end(open)))
        } catch { close(.failure(error)) }
    }

    /// The step has ended: what came of it.
    func result() async -> Result<String, any Error> {
        await end()
        if case .waiting = state {
            let never = NotHit(
                "'\(during.fault.action.summary)' waited for \(during.at), which never came",
                hint: "choose a step that this replacement takes"
            )
            span.begin = context.events.elapsed
            close(.failure(never))
        }
        guard case .over(let outcome) = state else {
            return .failure(NotHit("'\(during.fault.action.summary)' was still being made when the step ended"))
        }
        await context.record(
            StepResult(
                fault: during.fault,
                id: id,
                name: name,
                begin: span.begin,
                end: span.end ?? context.events.elapsed,
                outcome
            )
        )
        return outcome
    }

    private func close(_ outcome: Result<String, any Error>) {
        span.end = context.events.elapsed
        state = .over(outcome)
    }
}

extension RunContext {
    /// Lets the faults of a step wait for their moments.
    func plan(_ step: PlacedStep, _ id: StepID) -> [PlannedFault] {
        let servers = Set(step.action.renewed.map { self.id($0) })
        return step.attributes.during.enumerated().map { index, during in
            let fault = PlannedFault(during, self, as: id.child(step.heldCount + index + 1))
            let killsKiln = during.fault.action.killsKiln
            moments.add(
                .init(owner: id, servers: servers, point: during.at, killsKiln: killsKiln) { await fault.begin() }
            )
            if let until = during.until {
                moments.add(.init(owner: id, servers: servers, point: until) { await fault.end() })
            }
            return fault
        }
    }

    /// The step has ended: takes its faults back, the last one first, and returns the first failure of them.
    ///
    /// That something could not be taken back counts before all others.
    func end(_ planned: [PlannedFault], of id: StepID) async -> (any Error)? {
        moments.removePlans(of: id)
        var failures: [any Error] = []
        for fault in planned.reversed() {
            if case .failure(let failure) = await fault.result() { failures.insert(failure, at: 0) }
        }
        return failures.first { ($0 as? KilnError)?.code == .faultNotUndone } ?? failures.first
    }
}
