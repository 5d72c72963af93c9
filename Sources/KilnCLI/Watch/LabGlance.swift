import KilnEngine
import KilnModel
import KilnScenarios

/// What is seen of a lab at one moment.
struct LabGlance: Sendable, Encodable {
    /// A server.
    struct Server: Sendable, Encodable {
        let status: ServerStatus
        /// An operation that has not ended: its steps, as far as they were entered.
        let steps: [Step]
        /// What it answers to those probes of its `ready` list that are asked from outside.
        let answers: [Answer]
    }

    /// A step of an operation.
    struct Step: Sendable, Encodable {
        let step: KilnModel.Step
        /// How long it took; nothing where the operation is in it.
        let milliseconds: Int?
    }

    /// What came of a probe that was asked once.
    struct Answer: Sendable, Encodable {
        let probe: String
        let holds: Bool
        let found: String
    }

    /// The run of a scenario to which the lab belongs.
    struct Run: Sendable, Encodable {
        let scenario: String
        /// The innermost step that it is in.
        let step: String?
        let ledgers: [Ledger]
    }

    /// A ledger that is being written.
    struct Ledger: Sendable, Encodable {
        let name: Name
        let server: Name
        let acknowledged: Int
    }

    let lab: Name
    let run: Run?
    let servers: [Server]
    /// Why it can't be seen at present; then the rest is what was seen last.
    var problem: String?
}

// MARK: - Looking

extension LabGlance {
    /// How long a server may take to answer before it counts as one that does not.
    private static let patience = Duration.seconds(2)

    /// Looks at a lab, which may not be there yet.
    init(_ lab: Name, _ engine: LabEngine) async throws {
        let statuses = try await engine.statuses(lab)
        self.lab = lab
        run = Run(of: lab, engine)
        servers = await withTaskGroup(of: Server.self) { group in
            for status in statuses { group.addTask { await LabGlance.server(status, engine) } }
            return await group.reduce(into: [Server]()) { $0.append($1) }.sorted { $0.status.name < $1.status.name }
        }
    }

    /// The same, of which can't be seen whether it still is so.
    func unseen(_ error: KilnError) -> LabGlance {
        var glance = self
        let cause = error.cause.map { " (\($0))" } ?? ""
        glance.problem = ConsoleText.singleLine("\(error.message)\(cause)")
        return glance
    }

    private static func server(_ status: ServerStatus, _ engine: LabEngine) async -> Server {
        let id = MemberID(lab: status.lab, server: status.name)
        // The status knows whether there is one; of all others the journal need not be read once more.
        let operation = status.operation == nil ? nil : try? engine.history(id).open?.replacement
        let steps = operation.map { operation in
            operation.completed.map { Step(step: $0.step, milliseconds: $0.milliseconds) }
                + operation.entered.filter { step in !operation.completed.contains { $0.step == step } }
                .map { Step(step: $0, milliseconds: nil) }
        }
        return Server(status: status, steps: steps ?? [], answers: await answers(of: id, status, engine))
    }

    private static func answers(of id: MemberID, _ status: ServerStatus, _ engine: LabEngine) async -> [Answer] {
        guard status.state == .running, let spec = try? engine.servingSpec(of: id),
            let look = try? engine.checks(on: id)
        else { return [] }
        var answers: [Answer] = []
        // Each answer of a guest's own would take from what it has to do.
        for probe in spec.ready.map(\.probe) where !probe.ports.isEmpty {
            for found in await look.assertions(Check(probe, timeout: patience)) {
                answers.append(
                    Answer(
                        probe: "\(probe)",
                        holds: found.outcome == .passed,
                        found: ConsoleText.singleLine(found.found)
                    )
                )
            }
        }
        return answers
    }
}

extension LabGlance.Run {
    /// The run that goes on in a lab; nothing where none does.
    fileprivate init?(of lab: Name, _ engine: LabEngine) {
        guard engine.isGoingOn(run: lab),
            let history = try? RunLogFiles(folder: engine.reports).history(of: lab, isGoingOn: true)
        else { return nil }
        scenario = history.report.title
        step = history.current.map(ConsoleText.singleLine)
        ledgers = history.curves.map {
            LabGlance.Ledger(name: $0.ledger, server: $0.server, acknowledged: $0.points.last?.total ?? 0)
        }
    }
}
