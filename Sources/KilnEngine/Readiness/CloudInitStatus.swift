import Foundation
import KilnModel

/// What cloud-init says of itself, from the files that it documents for that purpose.
///
/// `result.json` appears when the last stage has ended; `status.json` tells the stage meanwhile. Reading them costs the
/// guest nothing, where `cloud-init status` starts Python.
/// https://cloudinit.readthedocs.io/en/latest/explanation/failure_states.html
struct CloudInitStatus {
    static let resultPath = "/run/cloud-init/result.json"
    static let statusPath = "/run/cloud-init/status.json"

    /// How it ended.
    static func finding(result: [UInt8], status: [UInt8]?, allowDegraded: Bool) -> ProbeFinding {
        guard let document = try? JSONDecoder().decode(JSONValue.self, from: Data(result)), let v1 = document["v1"]
        else {
            return .notYet("\(resultPath) is not whole yet")
        }
        if let errors = v1["errors"]?.array, !errors.isEmpty {
            return .failed("cloud-init ended with errors: \(texts(errors))")
        }
        let warnings = status.map(recoverableErrors) ?? []
        if !warnings.isEmpty && !allowDegraded {
            return .failed("cloud-init is degraded: \(warnings.prefix(3).joined(separator: "; "))")
        }
        return .holds
    }

    // cloud-init ≥ 23.4 lists them per stage, by level; DEPRECATED alone does not make it degraded.
    private static func recoverableErrors(_ status: [UInt8]) -> [String] {
        guard let document = try? JSONDecoder().decode(JSONValue.self, from: Data(status)),
            case .object(let stages)? = document["v1"]
        else { return [] }
        return stages.values.flatMap { stage -> [String] in
            guard case .object(let levels)? = stage["recoverable_errors"] else { return [] }
            return levels.filter { $0.key != "DEPRECATED" }.values.flatMap { $0.array ?? [] }
                .compactMap { $0.string.map(Name.quoted) }
        }
    }

    private static func texts(_ values: [JSONValue]) -> String {
        values.prefix(3).compactMap(\.string).map(Name.quoted).joined(separator: "; ")
    }
}
