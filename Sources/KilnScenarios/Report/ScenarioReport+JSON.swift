import Foundation
import KilnModel

extension ScenarioReport {
    enum CodingKeys: String, CodingKey, CaseIterable {
        case kiln, scenario, outcome, exit, ledger, steps, servers, phases, error, evidence
        case unavailableMS = "unavailable_ms"
    }

    /// Encodes every key, those without a value as `null`, so that a reader need not ask whether one is there.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(kiln, forKey: .kiln)
        try container.encode(scenario, forKey: .scenario)
        try container.encode(outcome, forKey: .outcome)
        try container.encode(exit, forKey: .exit)
        try container.encode(ledger, forKey: .ledger)
        try container.encode(unavailableMS, forKey: .unavailableMS)
        try container.encode(steps, forKey: .steps)
        try container.encode(servers, forKey: .servers)
        try container.encode(phases, forKey: .phases)
        try container.encode(error, forKey: .error)
        try container.encode(evidence, forKey: .evidence)
    }

    /// The report as JSON with sorted keys and a final newline.
    ///
    /// - Throws: what `JSONEncoder` throws, which for these types is nothing.
    public func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self) + Data("\n".utf8)
    }
}
