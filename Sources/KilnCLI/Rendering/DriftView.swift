import KilnEngine
import KilnModel

/// The drift of a server.
struct DriftView: Renderable {
    let report: DriftReport
    /// Whether the generation is the one that serves, which a replacement would renew.
    let isServing: Bool

    /// The most paths of a kind that people are shown.
    static let most = 20

    var payload: DriftReport { report }

    var human: HumanView { .lines(lines) }

    private var lines: [String] {
        let subject = "\(report.server) generation \(report.generation)"
        guard report.observable else { return ["\(subject): not observable: \(report.reason ?? "")"] }
        let image = "its image \(report.image.short)"
        guard report.isDrifted else { return ["\(subject): no drift from \(image)\(remark)"] }
        let groups =
            group("added", report.added.map(\.description))
            + group("modified", report.modified.map { "\($0.path)  (\(words($0.what)))" })
            + group("deleted", report.deleted.map(\.description)) + group("packages", report.packages.map(package))
            + group("hidden", report.hidden.map(\.description))
        let hint = isServing ? ["next: 'kiln replace \(report.server)' gives it a root as its image has it"] : []
        let machine = report.server.machine(report.generation)
        let way = report.hidden.firstFile.map {
            ["a volume hides what is below its mount point; copy it out: kiln cp \($0.source(on: machine)) FILE"]
        }
        return [
            "\(subject): \(counted) \(report.count + report.packages.count == 1 ? "differs" : "differ") from \(image)\(remark)"
        ] + groups + (way ?? []) + hint
    }

    private var counted: String {
        let parts = [(report.count, "path"), (report.packages.count, "package")].filter { $0.0 > 0 }
        return parts.map { "\($0.0) \($0.1)\($0.0 == 1 ? "" : "s")" }.joined(separator: " and ")
    }

    private var remark: String {
        switch report.consistency {
        case .off, .frozen: ""
        case .writeback: "; what the guest has not written yet is missing (its agent does not answer)"
        }
    }

    private func words(_ what: [DriftReport.Aspect]) -> String { what.map(\.rawValue).joined(separator: ", ") }

    private func package(_ change: DriftReport.PackageChange) -> String {
        switch (change.from, change.to) {
        case (nil, let version?): "\(change.name) \(version)  (added)"
        case (let version?, nil): "\(change.name) \(version)  (removed)"
        default: "\(change.name) \(change.from ?? "") → \(change.to ?? "")"
        }
    }

    private func group(_ title: String, _ items: [String]) -> [String] {
        guard !items.isEmpty else { return [] }
        let rest = items.count - DriftView.most
        let more = rest > 0 ? ["  … and \(rest) more; '--format json' has all"] : []
        return ["\(title) \(items.count)"] + items.prefix(DriftView.most).map { "  " + ConsoleText.singleLine($0) }
            + more
    }
}
