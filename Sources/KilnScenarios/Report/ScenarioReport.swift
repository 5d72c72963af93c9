import KilnEngine
import KilnModel

/// What came of a scenario, as CI reads it; the keys of its JSON are part of Kiln's contract.
public struct ScenarioReport: Sendable, Hashable, Codable {
    /// How a scenario or a step ended.
    public enum Outcome: String, Sendable, Hashable, Codable {
        /// Everything was as expected.
        case passed
        /// An expectation was not met, or data was lost.
        case failed
        /// It could not be carried out.
        case error
        /// A step that was not reached.
        case skipped
    }

    /// A server as it was at the end.
    public struct Server: Sendable, Hashable, Codable {
        /// Its name.
        public let name: Name
        /// The generation that served last.
        public let generation: Generation
        /// The image of that generation.
        public let image: ServerStatus.Image
        /// cloud-init's instance-id of that generation.
        public let instanceID: String

        /// A server from its parts.
        public init(name: Name, generation: Generation, image: ServerStatus.Image, instanceID: String) {
            self.name = name
            self.generation = generation
            self.image = image
            self.instanceID = instanceID
        }

        private enum CodingKeys: String, CodingKey {
            case name, generation, image
            case instanceID = "instance_id"
        }
    }

    /// One phase of an operation on a server; the times count from the start of the scenario.
    public struct Phase: Sendable, Hashable, Codable {
        /// The server.
        public let server: Name
        /// What was done with it, such as `generation 2`.
        public let operation: String
        /// The phase, such as `HANDOVER`.
        public let phase: String
        /// When it began, in milliseconds.
        public let startMS: Int
        /// How long it took, in milliseconds.
        public let ms: Int
        /// Whether it failed.
        public let failed: Bool

        /// A phase from its parts.
        public init(server: Name, operation: String, phase: String, startMS: Int, ms: Int, failed: Bool = false) {
            self.server = server
            self.operation = operation
            self.phase = phase
            self.startMS = startMS
            self.ms = ms
            self.failed = failed
        }

        private enum CodingKeys: String, CodingKey {
            case server, operation, phase, ms, failed
            case startMS = "start_ms"
        }
    }

    /// Why it could not be carried out.
    public struct Failure: Sendable, Hashable, Codable {
        /// The stable code of the error.
        public let code: String
        /// What is wrong.
        public let message: String
        /// What to do next.
        public let hint: String?

        /// An error as reports show it.
        public init(_ error: KilnError) {
            code = error.code.rawValue
            message = error.message
            hint = error.hint
        }

        /// An error from its parts.
        init(code: String, message: String, hint: String?) {
            self.code = code
            self.message = message
            self.hint = hint
        }
    }

    /// The version of kiln.
    public let kiln: String
    /// The scenario.
    public let scenario: Name
    /// Which combination of its matrix, by the names of the matrix.
    public let variant: [Name: String]
    /// The lab of the run.
    public let lab: Name
    /// What it left to chance came from this; nothing in reports of older versions.
    public let seed: RunSeed?
    /// By how much deadlines were multiplied; nothing in reports of older versions.
    public let timeoutScale: Double?
    /// Whether the lab is still there, to be looked at.
    public let isKept: Bool
    /// How it ended.
    public let outcome: Outcome
    /// The exit code of the command.
    public let exit: ExitCode
    /// What became of acknowledged records, over all ledgers; nothing where none was verified.
    public let ledger: LedgerVerdict?
    /// The ledgers that were verified, in that order.
    public let ledgers: [LedgerResult]
    /// The banks that were verified, in that order.
    public let banks: [BankResult]
    /// What users would have seen of servers while they were replaced, in that order.
    public let availability: [ServerAvailability]
    /// How long users of the service would have seen no answer, in milliseconds; nothing where it was not measured.
    public let unavailableMS: Int?
    /// The steps in order.
    public let steps: [StepResult]
    /// What was done at the end, however the steps ended.
    public let finally: [StepResult]
    /// The servers by name.
    public let servers: [Server]
    /// What happened when.
    public let phases: [Phase]
    /// Why it could not be carried out.
    public let error: Failure?
    /// The folder with what was kept for people to look at.
    public let evidence: String?
    /// The folder with the files that its steps kept; nothing where they kept none.
    public let files: String?

    /// A report from its parts.
    public init(
        kiln: String,
        scenario: Name,
        variant: [Name: String] = [:],
        lab: Name,
        seed: RunSeed? = nil,
        timeoutScale: Double? = nil,
        isKept: Bool = false,
        outcome: Outcome,
        exit: ExitCode,
        ledgers: [LedgerResult] = [],
        banks: [BankResult] = [],
        availability: [ServerAvailability] = [],
        unavailableMS: Int?,
        steps: [StepResult],
        finally: [StepResult] = [],
        servers: [Server],
        phases: [Phase],
        error: Failure?,
        evidence: String?,
        files: String? = nil
    ) {
        self.kiln = kiln
        self.scenario = scenario
        self.variant = variant
        self.lab = lab
        self.seed = seed
        self.timeoutScale = timeoutScale
        self.isKept = isKept
        self.outcome = outcome
        self.exit = exit
        self.ledgers = ledgers
        self.banks = banks
        self.availability = availability
        ledger = ledgers.first.map { first in ledgers.dropFirst().reduce(first.verdict) { $0 + $1.verdict } }
        self.unavailableMS = unavailableMS
        self.steps = steps
        self.finally = finally
        self.servers = servers
        self.phases = phases
        self.error = error
        self.evidence = evidence
        self.files = files
    }
}

extension ScenarioReport {
    /// The scenario, with its combination where it has one.
    public var title: String { Scenario.title(scenario, variant) }
}
