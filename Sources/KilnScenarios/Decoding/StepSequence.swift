import KilnDocuments
import KilnModel

/// Follows the steps in order, to find those that can't work: a server that is not up, a ledger that nobody writes.
struct StepSequence {
    private enum State {
        case running, stopped
    }

    private var states: [Name: State] = [:]
    private var ledgers: [Name: (path: String, place: Value)] = [:]

    /// The steps as the runner takes them, after reporting what can't work.
    static func checked(_ steps: [(step: Step, value: Value)]) -> [Step] {
        var sequence = StepSequence()
        let checked = steps.map { sequence.follow($0.step, $0.value) }
        for (server, ledger) in sequence.ledgers {
            ledger.place.problem("the ledger of '\(server)' is never verified; add a verify-ledger step")
        }
        return checked
    }

    private mutating func follow(_ step: Step, _ value: Value) -> Step {
        switch step.action {
        case .up(let servers):
            for server in servers {
                if states[server] != nil { value.problem("the server '\(server)' is up already") }
                states[server] = .running
            }
        case .stop(let servers): servers.forEach { change($0, from: .running, to: .stopped, value) }
        case .start(let servers): servers.forEach { change($0, from: .stopped, to: .running, value) }
        case .exec(let command): require(command.server, value)
        case .expect(let expectation): require(expectation.server, value)
        case .replace(let replacement): require(replacement.server, value)
        case .rollback(let rollback): require(rollback.server, value)
        case .volumeSnapshot:
            if states.isEmpty { value.problem("nothing is up at this step; add an 'up' step before it") }
        case .writeLedger(let server, let path):
            require(server, value)
            if ledgers[server] != nil { value.problem("the ledger of '\(server)' is being written already") }
            ledgers[server] = (path, value)
        case .verifyLedger(let server, _, let least):
            return verify(step, server, least, value)
        case .down:
            if states.isEmpty { value.problem("nothing is up at this step") }
            states = [:]
        }
        return step
    }

    private mutating func verify(_ step: Step, _ server: Name, _ least: Int, _ value: Value) -> Step {
        require(server, value)
        guard let ledger = ledgers.removeValue(forKey: server) else {
            value.problem("no ledger of '\(server)' is being written; add a write-ledger step before this one")
            return step
        }
        let action = Step.Action.verifyLedger(server: server, path: ledger.path, recordsAtLeast: least)
        return Step(action: action, position: step.position)
    }

    private mutating func change(_ server: Name, from: State, to: State, _ value: Value) {
        if states[server] != from {
            value.problem("the server '\(server)' is not \(from == .running ? "running" : "stopped") at this step")
        }
        states[server] = to
    }

    private func require(_ server: Name, _ value: Value) {
        switch states[server] {
        case .running: break
        case .stopped: value.problem("the server '\(server)' is stopped at this step; start it first")
        case nil: value.problem("the server '\(server)' is not up at this step; add an 'up' step before it")
        }
    }
}
