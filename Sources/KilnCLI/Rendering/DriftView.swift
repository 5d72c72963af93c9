import KilnEngine
import KilnModel

/// The drift of a server.
struct DriftView: Renderable {
    let report: DriftReport
    /// Whether the generation is the one that serves, which a replacement would renew.
    let isServing: Bool

    var payload: DriftReport { report }

    var human: HumanView { .lines(lines) }

    private var lines: [String] {
        let subject = "\(report.server) generation \(report.generation)"
        guard report.observable else { return ["\(subject): not observable: \(report.reason ?? "")"] }
        let image = "its image \(report.image.short)"
        guard report.isDrifted else { return ["\(subject): no drift from \(image)\(remark)"] }
        let groups =
            DifferenceLines.paths(added: report.added, modified: report.modified, deleted: report.deleted)
            + DifferenceLines.packages(report.packages)
            + DifferenceLines.group("hidden", report.hidden.map(\.description))
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
}
