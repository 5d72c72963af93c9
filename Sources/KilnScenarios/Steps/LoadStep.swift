import KilnDocuments
import KilnEngine
import KilnModel
import Synchronization

/// `load`: asks a server at a rate while steps are performed.
struct LoadStep: StepAction {
    static let kind = StepKind(
        word: "load",
        outputs: ["requests", "failed", "slowest-ms"],
        about: "Performs steps while a client asks a server so often, whatever becomes of its requests.",
        fields: { Schema.object(LoadFields.self, $0) },
        decode: { LoadStep($0, $1) }
    )

    let server: Name
    let rate: Int
    let expectation: AvailabilityExpectation
    let children: [PlacedStep]

    init?(_ value: Value, _ reader: StepReader) {
        guard let fields = Fields<LoadFields>(value, "a map with 'server' and 'steps'") else { return nil }
        let server = reader.server(fields[.server])
        let rate = fields[.rate].map { $0.whole(in: 1...AvailabilityPlan.highestRate) } ?? AvailabilityPlan.usualRate
        let failed = fields[.failedAtMost].map { $0.whole(in: 0...1_000_000) } ?? 0
        let children = fields[.steps].flatMap(reader.steps)
        guard let server, let rate, let failed, let children else { return nil }
        if let declared = reader.lab.server(server), let spec = declared.spec, !spec.isAsked(at: declared.tcpPorts) {
            fields[.server]?.problem(
                "the server '\(server)' has no 'http' probe of a published port in its 'ready' list, which is what is asked; add one"
            )
        }
        self.server = server
        self.rate = rate
        expectation = AvailabilityExpectation(failedAtMost: failed)
        self.children = children
    }

    var summary: String { "load \(server), \(rate) requests a second" }

    func foresee(_ forecast: inout LabForecast) {
        forecast.require(server)
        forecast.follow(children)
    }

    func perform(_ context: RunContext, as id: StepID) async throws -> StepYield {
        let began = Mutex(Duration.zero)
        let (_, log) = try await Unavailability.log(of: context.id(server), context.engine, context.network, rate: rate)
        {
            began.withLock { $0 = context.events.elapsed }
            try await context.take(children, below: id)
        }
        guard let log else { throw Unmet("\(server): a server that serves expected, none found that could be asked") }
        context.show(log, of: server, work: began.withLock { $0 })
        return try judged(log.result)
    }

    /// What came of it.
    ///
    /// - Throws: `Unmet` where more failed than may, or nothing follows from it.
    func judged(_ result: AvailabilityResult) throws -> StepYield {
        if let unmet = expectation.unmet(by: result) { throw Unmet("\(server): \(unmet)") }
        return StepYield(
            message: result.description,
            outputs: [
                "requests": "\(result.sent)", "failed": "\(result.failed)",
                "slowest-ms": result.slowestMS.map(String.init) ?? "",
            ]
        )
    }
}

extension ServerSpec {
    /// Whether a client knows what to ask of one of these ports.
    fileprivate func isAsked(at ports: [Name]) -> Bool {
        ready.contains { if case .http(let probe) = $0.probe { ports.contains(probe.port) } else { false } }
    }
}

/// The fields of a `load` step.
enum LoadFields: String, FileField {
    case server, rate, steps
    case failedAtMost = "failed-at-most"

    static let required: [LoadFields] = [.server, .steps]

    var schema: JSONValue {
        switch self {
        case .server: Schema.name("The server that is asked what the 'http' probe of its ready list asks.")
        case .rate:
            Schema.whole(
                1...AvailabilityPlan.highestRate,
                "How many requests a second; \(AvailabilityPlan.usualRate) without it."
            )
        case .failedAtMost: Schema.whole(0...1_000_000, "How many requests may fail; none without it.")
        case .steps: StepSchema.list("What is done meanwhile.")
        }
    }
}
