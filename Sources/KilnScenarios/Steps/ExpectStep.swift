import KilnDocuments
import KilnEngine
import KilnModel

/// `expect`: compares a server with what is expected of it.
struct ExpectStep: StepAction {
    static let kind = StepKind(
        word: "expect",
        outputs: ["generation", "image", "instance-id", "boot-id", "host-key", "ready-ms"],
        about: "Compares a server with what is expected of it.",
        fields: { Schema.object(ExpectFields.self, $0) },
        decode: { ExpectStep($0, $1) }
    )

    let server: ServerMember
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
    /// When all of it has to hold.
    var time = ExpectedTime.once
    /// The server's volumes, of which more can be saved; with how long a look may take.
    var volumes: [ExpectedVolume] = []

    var summary: String { "expect \(server)" }

    var outputs: [String] { volumes.flatMap(\.outputs) }

    var secrets: [String] {
        let asked = checks.compactMap { check -> HTTPProbe? in
            if case .http(let probe) = check.probe { probe } else { nil }
        }
        return (asked + [http?.probe].compactMap(\.self)).flatMap(RunSecrets.headers)
    }

    /// Whether it judges how long something took, or what users saw: a busy host would decide that.
    var judgesTime: Bool {
        facts.contains { fact in
            switch fact {
            case .availability, .readyWithin: true
            default: false
            }
        }
    }

    func foresee(_ forecast: inout LabForecast) { forecast.require(server.server) }

    func perform(_ context: RunContext, as id: StepID) async throws -> StepYield {
        let seen = try await context.scale.of(time).judge(server.description) { try await look(context) }
        // What must not hold was looked at in vain.
        let status: ServerStatus
        if let seen { status = seen } else { status = try await context.engine.status(context.id(server)) }
        var found = StepYield(
            outputs: [
                "generation": status.generation?.description ?? "", "image": status.image?.digest.description ?? "",
                "instance-id": status.instanceID ?? "",
            ],
            asked: [
                "boot-id": { try await context.engine.bootID(of: context.id(server)) },
                "host-key": { try HostKeyFingerprint.of(context.id(server), context) },
                "ready-ms": { try readyMilliseconds(context) },
            ]
        )
        for volume in volumes { found.asked.merge(volume.asked(on: context.id(server), context)) { $1 } }
        return found
    }

    private func readyMilliseconds(_ context: RunContext) throws -> String {
        try context.engine.timeToReady(context.id(server)).map { "\(Int($0 / .milliseconds(1)))" } ?? ""
    }
}

// MARK: - Looking

extension ExpectStep {
    /// Looks at everything once.
    private func look(_ context: RunContext) async throws -> ServerStatus {
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
        return status
    }

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
