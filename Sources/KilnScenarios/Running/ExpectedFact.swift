import Foundation
import KilnDocuments
import KilnEngine
import KilnModel

/// What is expected of a server besides its generation, image and answers.
enum ExpectedFact: Sendable, Hashable {
    /// Whether its image passed its tests, and is not revoked.
    case attested(Bool)
    /// Whether its machine was cloned, and has not booted since.
    case cloned(Bool)
    /// That it has the image that a channel points to.
    case channel(Name)
    /// Whether its configuration passed with that image.
    case configuration(ExpectedConfiguration)
    /// How its latest replacement went.
    case latest(ExpectedLatest)
    /// cloud-init's id of its machine.
    case instanceID(ExpectedText)
    /// The id that its kernel has had since it booted.
    case bootID(ExpectedText)
    /// How long its machine may have taken from its last start until it was ready; a threshold, which nothing scales.
    case readyWithin(Duration)
    /// The fingerprint of the key by which its SSH server is known.
    case hostKey(ExpectedText)
    /// What one of its volumes holds.
    case volume(ExpectedVolume)
    /// What its console said since the machine was made.
    case console([TextPattern])
    /// That no volume hides a file of its root.
    case hidesNothing
    /// What users may have seen at most of its last replacement.
    case availability(AvailabilityExpectation)

    /// Looks.
    ///
    /// - Throws: `Unmet` where it is otherwise, and `KilnError` where that can't be told.
    func require(of status: ServerStatus, _ context: RunContext) async throws {
        guard let found = try await unmet(status, context) else { return }
        throw Unmet("\(status.id.title): \(found)")
    }

    private func unmet(_ status: ServerStatus, _ context: RunContext) async throws -> String? {
        switch self {
        case .attested(let wanted): attested(wanted, status)
        case .cloned(let wanted): cloned(wanted, status)
        case .channel(let channel): try self.channel(channel, status, context)
        case .configuration(let expected): expected.unmet(by: status)
        case .latest(let expected): expected.unmet(by: try context.engine.history(status.id))
        case .instanceID(let expected): await expected.unmet("instance id", by: status.instanceID ?? "none", context)
        case .bootID(let expected):
            await expected.unmet("boot id", by: try await context.engine.bootID(of: status.id), context)
        case .readyWithin(let limit): try readyWithin(limit, status, context)
        case .hostKey(let expected):
            await expected.unmet("host key", by: try HostKeyFingerprint.of(status.id, context), context)
        case .volume(let expected): try await expected.unmet(on: status.id, context)
        case .console(let patterns): try console(patterns, status, context)
        case .hidesNothing: try await hidden(status, context)
        case .availability(let expectation): await availability(expectation, status, context)
        }
    }

    private func attested(_ wanted: Bool, _ status: ServerStatus) -> String? {
        guard let standing = status.standing else { return "an image whose tests are known expected, none found" }
        guard standing.isAttested != wanted else { return nil }
        let found = wanted ? "one that is \(standing.remarks.joined(separator: ", "))" : "an attested one"
        return "\(wanted ? "an attested image" : "an image that is not attested") expected, \(found) found"
    }

    private func cloned(_ wanted: Bool, _ status: ServerStatus) -> String? {
        let (clone, booted) = ("a clone", "a machine that booted")
        guard (status.isCloned == true) != wanted else { return nil }
        return "\(wanted ? clone : booted) expected, \(wanted ? booted : clone) found"
    }

    private func channel(_ channel: Name, _ status: ServerStatus, _ context: RunContext) throws -> String? {
        guard let image = status.image else { return "the image of the channel \(channel) expected, none found" }
        let target = try context.engine.target(of: channel, of: image.name)
        guard target.digest != image.digest else { return nil }
        return "\(image.name)@\(channel), which is version \(target.version), expected, version \(image.version) found"
    }

    private func readyWithin(_ limit: Duration, _ status: ServerStatus, _ context: RunContext) throws -> String? {
        guard let time = try context.engine.timeToReady(status.id) else {
            return "ready within \(limit.words) of its start expected, but it was not found ready since it was started"
        }
        return time <= limit ? nil : "ready within \(limit.words) of its start expected, \(time.words) found"
    }

    private func console(_ patterns: [TextPattern], _ status: ServerStatus, _ context: RunContext) throws -> String? {
        let said = try context.engine.console(of: status.id)
        let text = String(decoding: said, as: UTF8.self)
        return patterns.first { !$0.isMet(by: text) }.map { pattern in
            "'\(pattern)' expected on its console, not so found in its last \(said.count >> 10) KiB"
        }
    }

    private func hidden(_ status: ServerStatus, _ context: RunContext) async throws -> String? {
        let report = try await context.engine.drift(status.id)
        guard report.observable else {
            return "nothing hidden by volumes expected, but its root can't be observed: \(report.reason ?? "")"
        }
        guard !report.hidden.isEmpty else { return nil }
        let shown = report.hidden.prefix(3).map(\.description).joined(separator: ", ")
        return "nothing hidden by volumes expected, found \(shown)"
    }

    private func availability(
        _ expectation: AvailabilityExpectation,
        _ status: ServerStatus,
        _ context: RunContext
    ) async -> String? {
        guard let seen = await context.availability.last(where: { $0.server == status.name }) else {
            return
                "a measured replacement expected, none found; a measurement needs an 'http' probe in the server's ready list"
        }
        return expectation.unmet(by: seen.result)
    }
}
