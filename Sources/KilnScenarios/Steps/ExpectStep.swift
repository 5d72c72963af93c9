import KilnDocuments
import KilnEngine
import KilnModel

/// `expect`: compares a server with what is expected of it.
struct ExpectStep: StepAction {
    static let kind = StepKind(
        word: "expect",
        outputs: ["generation", "image", "instance-id", "boot-id"],
        about: "Compares a server with what is expected of it.",
        fields: { Schema.object(ExpectFields.self, $0) },
        decode: { ExpectStep($0, $1) }
    )

    let server: Name
    /// The generation that serves.
    var generation: Generation?
    /// Whether every probe of its ready list holds.
    var ready = false
    /// The image of the generation that serves.
    var image: ImageReference?
    /// What it answers.
    var http: HTTPExpectation?
    /// Whether its root has to be as its image has it.
    var isUndrifted = false
    /// What has to hold in it.
    var checks: [Check] = []
    /// What else has to be so.
    var facts: [ExpectedFact] = []

    var summary: String { "expect \(server)" }

    var secrets: [String] {
        let asked = checks.compactMap { check -> HTTPProbe? in
            if case .http(let probe) = check.probe { probe } else { nil }
        }
        return (asked + [http?.probe].compactMap(\.self)).flatMap(RunSecrets.headers)
    }

    /// Whether what users saw is judged.
    var judgesAvailability: Bool {
        facts.contains { if case .availability = $0 { true } else { false } }
    }

    func foresee(_ forecast: inout LabForecast) { forecast.require(server) }

    func perform(_ context: RunContext, as id: StepID) async throws -> StepYield {
        let status = try await context.engine.status(context.id(server))
        await context.remember([status])
        if let generation, status.generation != generation {
            let found = status.generation.map(\.description) ?? "none"
            throw Unmet("\(server): generation \(generation) expected, \(found) found")
        }
        if let image, status.image.map({ image.names($0) }) != true {
            let found = status.image.map { "\($0.name):\($0.version)" } ?? "none"
            throw Unmet("\(server): image \(image) expected, \(found) found")
        }
        if ready { try await context.awaitReady(server) }
        for fact in facts { try await fact.require(of: status, context) }
        try await http?.require(of: status, context)
        try await requireChecks(context)
        if isUndrifted { try await requireNoDrift(context) }
        return StepYield(
            outputs: [
                "generation": status.generation?.description ?? "", "image": status.image?.digest.description ?? "",
                "instance-id": status.instanceID ?? "",
            ],
            asked: ["boot-id": { try await context.engine.bootID(of: context.id(server)) }]
        )
    }
}

// MARK: - Reading

extension ExpectStep {
    init?(_ value: Value, _ reader: StepReader) {
        guard let fields = Fields<ExpectFields>(value, "a map with 'server' and what is expected") else { return nil }
        if fields.hasOnly([.server]) {
            let others = ExpectFields.allCases.dropFirst().map(\.rawValue).joined(separator: ", ")
            value.problem("nothing is expected; add one of \(others)")
        }
        let server = reader.server(fields[.server])
        let generation = fields[.generation]?.whole(in: 1...1_000_000).map { Generation($0) }
        let ready = fields[.ready]?.bool()
        if ready == false {
            fields[.ready]?.problem("expected true, found false: nothing can wait for a server not to be ready")
        }
        let image = fields[.image].flatMap(ExpectStep.image)
        let ports = server.flatMap(reader.lab.server)?.tcpPorts ?? []
        let http = server == nil ? nil : fields[.http].flatMap { HTTPExpectation($0, reader, ports: ports) }
        let drift = fields[.drift]?.word(ExpectedDrift.self)
        let checks = fields[.checks].map { CheckDecoder(ScenarioChecks(ports: ports)).list($0) } ?? []
        // What could not be read is a problem by now, and a file with problems is not run.
        guard let server else { return nil }
        self.server = server
        self.generation = generation
        self.ready = ready == true
        self.image = image
        self.http = http
        isUndrifted = drift == ExpectedDrift.nothing
        self.checks = checks
        facts = ExpectStep.facts(fields, reader)
    }

    private static func facts(_ fields: Fields<ExpectFields>, _ reader: StepReader) -> [ExpectedFact] {
        let failed = fields[.failedRequestsAtMost]?.whole(in: 0...1_000_000)
        let gap = fields[.unavailableAtMost]?.duration()
        let hidden = fields[.hidden]?.word(ExpectedDrift.self)
        return [
            fields[.attested]?.bool().map { .attested($0) },
            fields[.channel]?.newName().map { .channel($0) },
            fields[.instanceID].flatMap { ExpectedText($0, reader) }.map { .instanceID($0) },
            fields[.bootID].flatMap { ExpectedText($0, reader) }.map { .bootID($0) },
            fields[.console]?.patterns().map { .console($0) },
            hidden.map { _ in .hidesNothing },
            failed == nil && gap == nil
                ? nil : .availability(AvailabilityExpectation(failedAtMost: failed, gapAtMost: gap)),
        ].compactMap(\.self)
    }

    // What a server's image is compared with; a channel may have moved since it was made.
    private static func image(_ value: Value) -> ImageReference? {
        let image = value.image()
        guard case .channel? = image?.selector else { return image }
        value.problem("a channel moves, so nothing is compared with it; expected name, name:version or name@sha256:…")
        return nil
    }
}

// MARK: - Looking

extension ExpectStep {
    private func requireChecks(_ context: RunContext) async throws {
        guard !checks.isEmpty else { return }
        let look = try context.engine.checks(on: context.id(server))
        var unmet: [String] = []
        for check in checks.map(context.scale.ofTest) {
            let failed = try await check.assertions(look.assertions).filter { $0.outcome != .passed }
            unmet += failed.map { "\($0.subject): \($0.expected) expected, \($0.found) found" }
        }
        guard let first = unmet.first else { return }
        throw Unmet("\(server): \(first)" + unmet.dropFirst().map { "\n\(server): \($0)" }.joined())
    }

    private func requireNoDrift(_ context: RunContext) async throws {
        let report = try await context.engine.drift(context.id(server))
        context.events.emit(.found(.drift(DriftFinding(report))))
        guard report.observable else {
            throw Unmet("\(server): no drift expected, but its root can't be observed: \(report.reason ?? "")")
        }
        guard report.isDrifted else { return }
        let paths = (report.added + report.modified.map(\.path) + report.deleted).map(\.description)
        let found = paths + report.packages.map { "package \($0.name)" }
        let shown = found.prefix(3).joined(separator: ", ") + (found.count > 3 ? " and \(found.count - 3) more" : "")
        throw Unmet("\(server): no drift expected, found \(shown)", hint: "'kiln drift' lists all of it")
    }
}

extension ImageReference {
    /// Whether this reference can mean that image.
    func names(_ image: ServerStatus.Image) -> Bool {
        guard name == image.name else { return false }
        return switch selector {
        case .latest: true
        case .version(let version): version == image.version
        case .digest(let digest): digest == image.digest
        // A channel moves, and the decoder takes none where an image is expected.
        case .channel: false
        }
    }
}

/// How much of a server's root may differ from its image.
enum ExpectedDrift: String, CaseIterable {
    /// Nothing outside its ephemeral paths.
    case nothing = "none"
}

/// The fields of an `expect` step.
enum ExpectFields: String, FileField {
    case server, generation, ready, image, attested, channel, http, checks, console, drift, hidden
    case instanceID = "instance-id"
    case bootID = "boot-id"
    case unavailableAtMost = "unavailable-at-most"
    case failedRequestsAtMost = "failed-requests-at-most"

    static let required: [ExpectFields] = [.server]

    var schema: JSONValue {
        switch self {
        case .server: Schema.name("The server.")
        case .generation: Schema.whole(1...1_000_000, "The generation that serves.")
        case .ready: Schema.bool("Whether the probes of its ready list hold.")
        case .image: Schema.image("The image of the generation that serves.")
        case .http: ExpectedHTTP.schema("What it answers.")
        case .checks: CheckSchema.list(ScenarioChecks.self, "What has to hold in it.")
        case .attested: Schema.bool("Whether that image passed its tests, and is not revoked.")
        case .channel: Schema.name("A channel of that image, which has to point to it.")
        case .console: Schema.patterns("What its console said since it was made; all of it holds.")
        case .hidden: Schema.words(ExpectedDrift.self, "none: no volume hides a file of its root.")
        case .instanceID: ExpectedText.schema("cloud-init's id of its machine.")
        case .bootID: ExpectedText.schema("The id that its kernel has had since it booted.")
        case .unavailableAtMost: Schema.duration("How long nobody may have answered while it was last replaced.")
        case .failedRequestsAtMost:
            Schema.whole(0...1_000_000, "How many requests may have failed while it was last replaced.")
        case .drift: Schema.words(ExpectedDrift.self, "none: its root is as its image has it.")
        }
    }
}
