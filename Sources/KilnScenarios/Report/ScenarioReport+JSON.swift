import Foundation
import KilnModel

extension ScenarioReport {
    enum CodingKeys: String, CodingKey, CaseIterable {
        case kiln, scenario, variant, lab, outcome, exit, ledger, ledgers, banks, availability, steps, finally, servers,
            phases, error
        case evidence, files, seed
        case timeoutScale = "timeout_scale"
        case isKept = "kept"
        case unavailableMS = "unavailable_ms"
    }

    /// Encodes every key, those without a value as `null`, so that a reader need not ask whether one is there.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(kiln, forKey: .kiln)
        try container.encode(scenario, forKey: .scenario)
        try container.encode(variant, forKey: .variant)
        try container.encode(lab, forKey: .lab)
        try container.encode(seed, forKey: .seed)
        try container.encode(timeoutScale, forKey: .timeoutScale)
        try container.encode(isKept, forKey: .isKept)
        try container.encode(outcome, forKey: .outcome)
        try container.encode(exit, forKey: .exit)
        try container.encode(ledger, forKey: .ledger)
        try container.encode(ledgers, forKey: .ledgers)
        try container.encode(banks, forKey: .banks)
        try container.encode(availability, forKey: .availability)
        try container.encode(unavailableMS, forKey: .unavailableMS)
        try container.encode(steps, forKey: .steps)
        try container.encode(finally, forKey: .finally)
        try container.encode(servers, forKey: .servers)
        try container.encode(phases, forKey: .phases)
        try container.encode(error, forKey: .error)
        try container.encode(evidence, forKey: .evidence)
        try container.encode(files, forKey: .files)
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
