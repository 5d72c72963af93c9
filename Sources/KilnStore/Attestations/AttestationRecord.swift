import Foundation
import KilnModel
import KilnSystem

/// An attestation as the store keeps it.
public struct AttestationRecord: Sendable, Hashable, Codable {
    // First, and so decoded first: what a later version wrote need not have what follows.
    private let format: RecordFormat?
    /// Its place among those of its image; the highest is the last word.
    public let number: Int
    /// What was expected and found.
    public let attestation: Attestation
    /// When it was kept, for people.
    public let recorded: Date
    /// Whether another store's word is taken for it: it came with the image.
    public let isImported: Bool?

    init(number: Int, _ attestation: Attestation, isImported: Bool) {
        format = RecordFormat()
        self.number = number
        self.attestation = attestation
        recorded = Date()
        self.isImported = isImported ? true : nil
    }

    /// What it says by itself.
    var verdict: TestVerdict {
        if attestation.isPass { return .passed }
        return switch attestation.outcome {
        case .failed: .failed
        case .flaky: .flaky
        case .passed: .untested
        }
    }
}

/// What the tests of an image say of it.
public enum TestVerdict: String, Sendable, Hashable, Codable, CaseIterable {
    /// It was not tested.
    case untested
    /// All of the last tests held.
    case passed
    /// Something of the last tests held only after it had not.
    case flaky
    /// Something of the last tests did not hold.
    case failed
}
