import KilnEngine
import KilnModel

extension ScenarioReport {
    /// The report of a run that has ended.
    init(_ end: RunEnd, _ context: RunContext, version: String, timeline: Timeline) async {
        let servers = await context.servers.values.sorted { $0.id < $1.id }
        let unavailable = await context.unavailable
        self.init(
            kiln: version,
            scenario: context.scenario.name,
            variant: context.scenario.variant,
            lab: context.lab.name,
            seed: context.seed,
            timeoutScale: context.scale.factor,
            isKept: end.isKept,
            outcome: Outcome(failure: end.failure),
            exit: ExitCode(failure: end.failure),
            ledgers: await context.verdicts,
            banks: await context.banks,
            availability: await context.availability,
            unavailableMS: unavailable.map { Int($0 / .milliseconds(1)) },
            steps: end.steps,
            finally: end.finally,
            servers: servers.compactMap(Server.init(status:)),
            phases: timeline.reported,
            error: end.failure.map { Failure(KilnError(failure: $0)) },
            evidence: end.evidence,
            files: await context.hasFiles ? context.filesFolder : nil
        )
    }
}

extension ScenarioReport.Outcome {
    /// What was found and is not as expected is a failure; what could not be carried out is an error.
    fileprivate init(failure: (any Error)?) {
        self =
            switch failure {
            case nil: .passed
            case is Unmet, is DataLoss, is NotHit: .failed
            default: .error
            }
    }
}

extension ScenarioReport.Server {
    fileprivate init?(status: ServerStatus) {
        guard let generation = status.generation, let image = status.image, let instanceID = status.instanceID else {
            return nil
        }
        self.init(
            name: status.id.ownName,
            generation: generation,
            image: image,
            instanceID: instanceID
        )
    }
}

extension ExitCode {
    fileprivate init(failure: (any Error)?) {
        self =
            switch failure {
            case nil: .done
            case let unmet as Unmet: unmet.exit
            case is NotHit: .unmet
            case is DataLoss: .dataLoss
            case is CancellationError: .interrupted
            case let known as KilnError: known.exit
            default: .internalError
            }
    }
}

extension KilnError {
    /// What a run's failure is to whoever asked for it.
    init(failure: any Error) {
        switch failure {
        case let known as KilnError: self = known
        case let unmet as Unmet: self = KilnError(.runUnmet, unmet.description, hint: unmet.hint, exit: unmet.exit)
        case let miss as NotHit: self = KilnError(.faultNotHit, miss.description, hint: miss.hint, exit: .unmet)
        case let loss as DataLoss:
            self = KilnError(
                .runDataLoss,
                "acknowledged data is gone or damaged: \(loss)",
                hint: "the volume was retained: 'kiln volume list' names it",
                exit: .dataLoss
            )
        case is CancellationError: self = KilnError(.interrupted, "the run was interrupted", exit: .interrupted)
        default: self = KilnError(.internalFault, String(describing: failure))
        }
    }
}
