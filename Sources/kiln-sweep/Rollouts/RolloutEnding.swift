import Foundation
import KilnOutside

/// What kiln says of a rollout in JSON: how it stands or ended, or why there is none.
struct RolloutEnding: Decodable {
    /// Why it stopped or turned back.
    struct Reason: Decodable { let code: String }

    private let error: Ending.Problem?
    let standing: String?
    let outcome: String?
    let failure: Reason?

    /// Reads it from standard output or error; nothing where neither is such a document.
    init?(_ end: Child.End) {
        let documents = [end.output, end.errors].lazy.compactMap {
            try? JSONDecoder().decode(RolloutEnding.self, from: Data($0.utf8))
        }
        guard let first = documents.first else { return nil }
        self = first
    }

    /// Whether a halted member is what it waits for.
    var isHalted: Bool { failure?.code == "replace.halted" }

    /// Whether it has ended, with all members from one image.
    var isSettled: Bool { standing == "ended" && outcome != "degraded" }

    /// In a note.
    var words: String { "rollout \(outcome ?? standing ?? "unknown")" }

    /// Whether it says why the status is not 0.
    func explains(_ status: Int32) -> Bool {
        if let error { return error.code.contains(".") && !error.message.isEmpty }
        switch (standing, outcome) {
        case (_, "rolled-back"): return status == 11 && failure != nil
        case (_, "degraded"): return status == (isHalted ? 13 : 11)
        case ("paused", nil): return failure != nil && status == (isHalted ? 13 : 12)
        case ("interrupted", nil): return status == 12
        default: return false
        }
    }
}
