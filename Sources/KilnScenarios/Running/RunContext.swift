import Foundation
import KilnEngine
import KilnFaults
import KilnModel
import KilnSystem

/// What the steps of one run share: the lab, what was saved, the ledgers that are being written, and the results so far.
actor RunContext {
    /// What is run.
    nonisolated let scenario: Scenario
    /// Its lab, by the name that it has in this run.
    nonisolated let lab: LabSpec
    nonisolated let engine: LabEngine
    nonisolated let network: any NetworkProbe
    nonisolated let events: RunEvents
    /// What happens at moments of its engine's steps.
    nonisolated let moments: RunMoments
    /// What faults are made in.
    nonisolated let ground: FaultGround
    /// Replaces servers in processes that can be killed; nothing where there are none.
    nonisolated let process: (any ReplacementProcess)?
    /// Is asked before each step.
    nonisolated let gate: StepGate?
    /// Is told of the first step that failed, while everything is as that left it.
    nonisolated let pause: FailurePause?
    /// Under what the run goes on.
    nonisolated let conditions: RunConditions

    /// What steps saved.
    private(set) var saved: [Name: String] = [:]
    /// The external services, once they serve.
    private(set) var externals: [Name: ExternalAccess] = [:]
    /// The longest time without an answer.
    private(set) var unavailable: Duration?
    /// How servers were last seen, each member by its own name.
    private(set) var servers: [Name: ServerStatus] = [:]
    /// The ledgers that were verified.
    private(set) var verdicts: [LedgerResult] = []
    /// The banks that were verified.
    private(set) var banks: [BankResult] = []
    /// What was seen of servers while they were replaced.
    private(set) var availability: [ServerAvailability] = []
    /// The steps that have ended.
    private(set) var spans: [StepSpan] = []
    private(set) var ledgers: [Name: RunningLedger] = [:]
    /// The faults that are there, in the order in which they were made.
    var faults: [OpenFault] = []
    /// How many were ever made.
    var faultCount = 0
    /// The ledgers that were ever begun.
    private var begun: Set<Name> = []
    /// The results by the step that holds them.
    private var results: [StepID: [StepResult]] = [:]
    private(set) var hasFiles = false
    private var hasPaused = false
    /// How often a fault was made, by its place.
    private var strikes: [String: Int] = [:]

    init(
        scenario: Scenario,
        lab: Name,
        engine: LabEngine,
        network: any NetworkProbe,
        events: RunEvents,
        host: any HostControl,
        home: (any OwnHome)? = nil,
        process: (any ReplacementProcess)? = nil,
        gate: StepGate? = nil,
        pause: FailurePause? = nil,
        conditions: RunConditions = RunConditions()
    ) {
        self.scenario = scenario
        self.lab = conditions.scale.of(scenario.lab.named(lab), on: engine.parts.machines.platform)
        moments = RunMoments(besides: engine.parts.moments)
        self.engine = engine.telling(moments)
        ground = FaultGround(lab: self.lab, engine: engine, host: host, home: home, seed: conditions.seed) {
            try scenario.lock?.pinned($0) ?? $0
        }
        self.network = network
        self.events = events
        self.process = process
        self.gate = gate
        self.pause = pause
        self.conditions = conditions
    }

    /// What the run leaves to chance comes from this.
    nonisolated var seed: RunSeed { conditions.seed }
    /// How much longer steps may take.
    nonisolated var scale: TimeoutScale { conditions.scale }

    /// A server of the run's lab.
    nonisolated func id(_ server: Name) -> MemberID { MemberID(lab: lab.name, server: server) }
    nonisolated func id(_ member: ServerMember) -> MemberID { member.id(in: lab.name) }
}

/// Is asked before each step whether it may begin; throws where the run is to end.
public typealias StepGate = @Sendable (PlacedStep, StepID) async throws -> Void

/// A step of a run that failed.
public struct FailedStep: Sendable {
    /// The lab of the run, with its machines as the step left them.
    public let lab: Name
    /// Its servers.
    public let servers: [Name]
    /// The step's number.
    public let id: StepID
    /// The step.
    public let step: PlacedStep
    /// Why it failed.
    public let reason: String
}

/// Is told of a step that failed; the run goes on to its end once it returns.
public typealias FailurePause = @Sendable (FailedStep) async -> Void

extension LabSpec {
    /// The same lab by another name.
    func named(_ name: Name) -> LabSpec {
        LabSpec(name: name, volumes: volumes, servers: servers, images: images, networks: networks)
    }
}

// MARK: - What is found

extension RunContext {
    /// What texts of steps may name now.
    var known: KnownTexts { KnownTexts(saved: saved, externals: externals) }

    /// Notes how external services are reached.
    func know(_ externals: [Name: ExternalAccess]) { self.externals = externals }

    /// Notes how servers are.
    func remember(_ statuses: [ServerStatus]) { for status in statuses { servers[status.id.ownName] = status } }

    /// Notes how all servers are, before they go.
    func rememberServers() async { remember((try? await engine.statuses(lab.name)) ?? []) }

    /// Notes for how long nobody answered.
    ///
    /// - Parameter work: when something began to be done to the server, since the start of the run.
    func note(_ log: AvailabilityLog, of server: Name, work: Duration) {
        unavailable = max(unavailable ?? .zero, log.longestGap)
        availability.append(ServerAvailability(server: server, result: log.result))
        show(log, of: server, work: work)
    }

    /// Tells of what users saw of a server.
    ///
    /// - Parameter work: when what was done to it began, since the start of the run.
    nonisolated func show(_ log: AvailabilityLog, of server: Name, work: Duration) {
        // The meter's own time began earlier, by as long as the service was watched before.
        let strip = AvailabilityStrip(log, of: server, origin: work - log.work.lowerBound)
        events.emit(.found(.availability(strip)))
    }

    /// Waits until a server is ready; one that is not is an unmet expectation.
    nonisolated func awaitReady(_ server: ServerMember) async throws {
        do {
            try await engine.awaitReady(id(server))
        } catch let error as KilnError where ErrorCode.readiness.contains(error.code) {
            throw Unmet("\(server): ready expected; \(error.message)")
        }
    }

    /// Saves what a step found out.
    ///
    /// - Throws: `Unmet` for what is no text that can be used later.
    func save(_ outputs: [Name: String]) throws {
        for (name, text) in outputs.sorted(by: { $0.key < $1.key }) {
            guard text.utf8.count <= SavedOutput.largest else {
                throw Unmet(
                    "'\(name)' can't be saved: at most \(SavedOutput.largest >> 10) KiB expected, \(text.utf8.count) bytes found"
                )
            }
            guard !text.unicodeScalars.contains("\0") else { throw Unmet("'\(name)' can't be saved: it holds a NUL") }
            saved[name] = text
        }
    }

    /// The folder with the files that steps keep.
    nonisolated var filesFolder: String { "\(engine.evidence)/\(lab.name)" }

    /// Keeps a file of a guest's; returns its path, or nothing where it has no name.
    func keep(_ bytes: [UInt8], as name: String?) throws -> String? {
        guard let name else { return nil }
        try DurableFile.makeDirectory(filesFolder)
        let path = "\(filesFolder)/\(name)"
        try DurableFile.write(Data(bytes), to: path)
        hasFiles = true
        return path
    }

    /// Keeps what was acknowledged, which tells of a volume that is retained what it should hold.
    func keepAcknowledgements() {
        for name in begun.sorted() {
            let list = AcknowledgementList.name(lab: lab.name, ledger: name)
            guard let bytes = try? DurableFile.contents(engine.scratchFile(list)) else { continue }
            _ = try? keep(Array(bytes), as: "\(name).acknowledged")
        }
    }
}

// MARK: - Ledgers

extension RunContext {
    /// Notes what is written from now on.
    func begin(_ ledger: RunningLedger, _ name: Name) {
        begun.insert(name)
        ledgers[name] = ledger
    }

    /// Notes what became of a ledger.
    func ended(_ name: Name, _ result: LedgerResult) {
        verdicts.append(result)
        ledgers[name] = nil
    }

    /// Notes what became of a bank.
    func ended(_ name: Name, _ result: BankResult) {
        banks.append(result)
        ledgers[name] = nil
    }

    /// Stops a writer, of which nothing is judged.
    func stopLedger(_ name: Name) async {
        guard let ledger = ledgers.removeValue(forKey: name) else { return }
        await ledger.stop()
    }

    /// Stops the writers that are left.
    func stopLedgers() async {
        for ledger in ledgers.values { await ledger.stop() }
        ledgers = [:]
    }
}

// MARK: - Results

extension RunContext {
    /// Notes a result, and tells of it.
    func record(_ result: StepResult) {
        results[result.id.parent, default: []].append(result)
        spans.append(
            StepSpan(name: result.name, start: .milliseconds(result.beginMS), end: .milliseconds(result.endMS))
        )
        events.emit(.stepEnded(result))
    }

    /// Tells of the first step that failed; not where the run was interrupted, and nobody wants to look.
    ///
    /// Only of those that stand in the file's own list: what they hold may be tried again, or have to fail. No deadline but a
    /// step's own, which is over, is around them.
    func pauseAt(_ step: PlacedStep, _ id: StepID, _ failure: any Error) async {
        guard let pause, !hasPaused, !Task.isCancelled, !(failure is CancellationError) else { return }
        guard id.depth == 1, let number = id.numbers.first, number <= scenario.steps.count else { return }
        hasPaused = true
        await pause(
            FailedStep(
                lab: lab.name,
                servers: lab.servers.keys.sorted(),
                id: id,
                step: step,
                reason: events.secrets.hidden("\(failure)")
            )
        )
    }

    /// Which fault is made, for its chance: by its place, and how often it was made there.
    func occasion(of fault: PlacedFault) -> String {
        let path = fault.place.path
        strikes[path, default: 0] += 1
        return "\(path) \(strikes[path, default: 0])"
    }

    /// Takes the results of the steps that one holds, in the order in which they stand.
    func takeResults(of parent: StepID) -> [StepResult] {
        (results.removeValue(forKey: parent) ?? []).sorted { $0.id.numbers.lexicographicallyPrecedes($1.id.numbers) }
    }
}

extension AcknowledgementList {
    /// What the list of a ledger is called among the engine's scratch files.
    static func name(lab: Name, ledger: Name) -> String { "\(lab).\(ledger).acknowledged" }
}
