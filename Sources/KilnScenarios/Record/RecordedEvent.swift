import KilnModel

/// One line of a run's log, as it is read; what this version doesn't know of is passed over.
struct RecordedEvent: Decodable {
    let event: String
    let ms: Int?
    let title: String?
    let scenario: Name?
    let variant: [Name: String]?
    let lab: Name?
    let seed: RunSeed?
    let timeoutScale: Double?
    let id: StepID?
    let kind: String?
    let name: String?
    let place: StepPlace?
    let outcome: ScenarioReport.Outcome?
    let beginMS: Int?
    let endMS: Int?
    let detail: String?
    let server: Name?
    let generation: Generation?
    let step: KilnModel.Step?
    let stepMS: Int?
    let text: String?
    let cause: String?
    let ledger: Name?
    let total: Int?
    let availability: AvailabilityStrip?
    let drift: DriftFinding?
    let console: ConsoleExcerpt?
    let report: ScenarioReport?

    private enum CodingKeys: String, CodingKey {
        case event, ms, title, scenario, variant, lab, id, kind, name, place, outcome, detail, server, generation, step,
            text
        case cause, ledger, total, availability, drift, console, report
        case seed
        case timeoutScale = "timeout_scale"
        case beginMS = "begin_ms"
        case endMS = "end_ms"
        case stepMS = "step_ms"
    }

    var time: Duration { .milliseconds(ms ?? 0) }
}
