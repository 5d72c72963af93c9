import KilnEngine
import KilnModel

// Only what people wrote or guests said: names, places and numbers stay what they are, so that a short password breaks no document.
extension RunSecrets {
    /// What happened, without them.
    func hidden(_ kind: RunEvent.Kind) -> RunEvent.Kind {
        switch kind {
        case .runBegan, .stepBegan: kind
        case .stepEnded(let result): .stepEnded(hidden(result))
        case .progress(let progress): .progress(hidden(progress))
        case .found(.console(let excerpt)):
            .found(
                .console(
                    ConsoleExcerpt(server: excerpt.server, generation: excerpt.generation, hidden: hidden(excerpt.text))
                )
            )
        case .found: kind
        case .runEnded(let report): .runEnded(hidden(report))
        }
    }

    /// A step's result without them, and those that it holds.
    func hidden(_ result: StepResult) -> StepResult {
        StepResult(
            id: result.id,
            kind: result.kind,
            place: result.place,
            name: result.name,
            outcome: result.outcome,
            begin: .milliseconds(result.beginMS),
            end: .milliseconds(result.endMS),
            detail: result.detail.map(hidden),
            children: result.children.map(hidden)
        )
    }

    /// A report without them.
    func hidden(_ report: ScenarioReport) -> ScenarioReport {
        ScenarioReport(
            kiln: report.kiln,
            scenario: report.scenario,
            variant: report.variant,
            lab: report.lab,
            seed: report.seed,
            timeoutScale: report.timeoutScale,
            isKept: report.isKept,
            outcome: report.outcome,
            exit: report.exit,
            ledgers: report.ledgers,
            banks: report.banks,
            availability: report.availability,
            unavailableMS: report.unavailableMS,
            steps: report.steps.map(hidden),
            finally: report.finally.map(hidden),
            servers: report.servers,
            phases: report.phases,
            error: report.error.map { error in
                .init(code: error.code, message: hidden(error.message), hint: error.hint.map(hidden))
            },
            evidence: report.evidence,
            files: report.files
        )
    }

    private func hidden(_ progress: Progress) -> Progress {
        switch progress {
        case .plan(let server, let text): .plan(server, hidden(text))
        case .waiting(let server, let generation, let text): .waiting(server, generation, hidden(text))
        case .note(let text): .note(hidden(text))
        case .turnedBack(let server, let turn):
            .turnedBack(
                server,
                TurnBack(
                    direction: turn.direction,
                    step: turn.step,
                    code: turn.code,
                    reason: hidden(turn.reason),
                    cause: turn.cause.map(hidden),
                    hint: turn.hint.map(hidden)
                )
            )
        case .began, .finished: progress
        }
    }
}
