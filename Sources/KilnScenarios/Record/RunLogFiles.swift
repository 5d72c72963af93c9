import Foundation
import KilnModel
import KilnSystem

/// The files in which runs were written down, one each, by the name of the run's lab.
public struct RunLogFiles: Sendable {
    /// The most that is read of one: its events, and the report at its end.
    static let mostRead = 256 << 20
    private static let suffix = ".ndjson"

    /// The folder.
    public let folder: String

    /// Those in a folder.
    public init(folder: String) { self.folder = folder }

    /// Where a run is written down.
    public func path(of lab: Name) -> String { "\(folder)/\(lab)\(Self.suffix)" }

    /// Where the page of a run is written that is to be opened.
    public func page(of lab: Name) -> String { "\(folder)/\(lab).html" }

    /// The runs that are remembered, the oldest first.
    public var runs: [Name] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let names = entries.filter { $0.hasSuffix(Self.suffix) }.compactMap {
            try? Name(String($0.dropLast(Self.suffix.count)))
        }
        let times = Dictionary(names.map { ($0, time(of: $0) ?? .distantPast) }) { first, _ in first }
        return names.sorted { (times[$0] ?? .distantPast, $0) < (times[$1] ?? .distantPast, $1) }
    }

    /// The run that a user means: by its own name, or the latest of a scenario; nothing where there is none.
    ///
    /// What can't be read is nobody's latest run.
    public func run(named text: String) -> Name? {
        let runs = runs
        if let exact = runs.last(where: { $0.text == text }) { return exact }
        // The name of a run is the scenario's, which may be cut, and an id.
        let likely = runs.filter { run in
            run.text.lastIndex(of: "-").map { text.hasPrefix(run.text[..<$0]) } ?? false
        }
        return likely.last { (try? history(of: $0, isGoingOn: false))?.report.scenario.text == text }
    }

    /// Those of some scenarios whose latest run did not pass; one that never ran is not among them.
    public func failed(among scenarios: [Scenario]) -> [Scenario] {
        let wanted = Set(scenarios.map(\.title))
        var latest: [String: ScenarioReport.Outcome] = [:]
        for run in runs.reversed() where latest.count < wanted.count {
            guard let report = try? history(of: run, isGoingOn: false)?.report else { continue }
            let title = Scenario.title(report.scenario, report.variant)
            if wanted.contains(title), latest[title] == nil { latest[title] = report.outcome }
        }
        return scenarios.filter { latest[$0.title].map { $0 != .passed } ?? false }
    }

    /// What was written down of a run; nothing where there is none of that name.
    ///
    /// - Parameter isGoingOn: whether the run still lives.
    /// - Throws: `KilnError` with code `run.record-unreadable`.
    public func history(of lab: Name, isGoingOn: Bool) throws -> RunHistory? {
        let path = path(of: lab)
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path) else { return nil }
        let size = (attributes[.size] as? NSNumber)?.intValue ?? 0
        let isRegular = attributes[.type] as? FileAttributeType == .typeRegular
        guard isRegular, size <= Self.mostRead, let content = try? DurableFile.contents(path) else {
            throw unreadable(path, "it is no file that this user can read, of at most \(Self.mostRead >> 20) MiB")
        }
        var reader = RunLogReader()
        for line in content.split(separator: UInt8(ascii: "\n")) { reader.take(line) }
        guard let history = reader.history(isGoingOn: isGoingOn) else {
            throw unreadable(path, "it doesn't tell which run it is of")
        }
        return history
    }

    func forgetOldest(but count: Int) {
        // What can't be removed is in nobody's way.
        for run in runs.dropLast(count) {
            unlink(path(of: run))
            unlink(page(of: run))
        }
    }

    private func time(of lab: Name) -> Date? {
        try? FileManager.default.attributesOfItem(atPath: path(of: lab))[.modificationDate] as? Date
    }

    private func unreadable(_ path: String, _ cause: String) -> KilnError {
        KilnError(
            .runRecordUnreadable,
            "what was written down of a run can't be read: \(path)",
            hint: "see that the file is yours to read; the run can be repeated",
            cause: cause,
            exit: .usage
        )
    }
}
