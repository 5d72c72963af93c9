import Foundation
import KilnEngine
import KilnModel

/// What a page tells of the life of a server.
struct ServerSection {
    private let server: MemberID
    private let history: ServerHistory
    private let autopilot: [AutopilotRecord]
    private let measure = ReportPage.Measure(sharedBy: 1)

    init(_ server: MemberID, _ history: ServerHistory, _ autopilot: [AutopilotRecord]) {
        self.server = server
        self.history = history
        self.autopilot = autopilot
    }

    /// All of it, the latest first.
    var section: PageSection {
        var section = PageSection(
            title: "\(server)",
            subtitle: "from its journal",
            sentence: sentence,
            tone: tone,
            tiles: tiles,
            listHead: "Replacements, the latest first"
        )
        let shown = history.operations.suffix(measure.rows).reversed()
        section.pictures = picture.map { [$0] } ?? []
        section.rows = shown.map(row)
        let left = history.operations.count - shown.count
        if left > 0 { section.notes = ["\(left) earlier ones are not shown; 'kiln history \(server)' has all"] }
        section.notes += decisions
        section.consoles = history.operations.suffix(measure.lanes).reversed().compactMap(console).prefix(
            measure.consoles
        )
        .map(\.self)
        return section
    }

    /// What autopilots did, with their figures, the latest first.
    private var decisions: [String] {
        let shown = autopilot.suffix(measure.rows).reversed().map { record in
            PageText.line("\(record.time.formatted(.iso8601)): autopilot: \(record.event.line.text)", 400)
        }
        let left = autopilot.count - shown.count
        return shown + (left > 0 ? ["\(left) earlier ones of the autopilot are in 'kiln history \(server)'"] : [])
    }

    private var tone: PageSection.Tone {
        history.halted != nil ? .bad : history.open != nil || history.current == nil ? .open : .good
    }

    private var sentence: String {
        if let halted = history.halted { return "Halted: \(why(halted.replacement))" }
        if let open = history.open {
            return "A replacement is open: next step \(open.replacement.next?.rawValue ?? "none")"
        }
        guard let current = history.current else { return "No generation has served yet" }
        let image = history.operations.last { $0.replacement.intent.to == current }?.replacement.intent.image
        return "Generation \(current) serves" + (image.map { ", from \(PageText.line($0, 80))" } ?? "")
    }

    private var tiles: [PageSection.Tile] {
        let turned = history.operations.filter { $0.replacement.turn != nil }
        return [
            .init("current", "Generation", history.current.map(\.description) ?? "none", tone),
            .init("operations", "Replacements", "\(history.operations.count)"),
            .init("turned", "Turned back", "\(turned.count)", turned.isEmpty ? .good : .open),
            .init(
                "cause",
                "Latest cause",
                turned.last.map { why($0.replacement) } ?? "none",
                turned.isEmpty ? .good : .open
            ),
        ]
    }

    private func why(_ replacement: Replacement) -> String {
        if let turn = replacement.turn { return "\(turn.step.rawValue): \(PageText.first(turn.reason))" }
        return PageText.first(replacement.reason ?? "")
    }

    private func row(_ operation: ServerHistory.Operation) -> PageSection.Row {
        let (replacement, intent) = (operation.replacement, operation.replacement.intent)
        let tone: PageSection.Tone =
            switch replacement.outcome {
            case .committed: .good
            case .aborted, .reverted, .halted: .bad
            case nil: .open
            }
        let way = intent.from.map { "generation \($0) → \(intent.to), \(intent.strategy.rawValue)" } ?? "first machine"
        return PageSection.Row(
            number: "\(intent.number)",
            depth: 1,
            rowMark: tone.mark,
            rowTone: tone.rawValue,
            name: "\(replacement.outcome?.rawValue ?? "open"): \(way), \(PageText.line(intent.image, 80))",
            time: ReportText.time(OperationPhases(operation).end),
            place: operation.began.formatted(.iso8601),
            detail: why(replacement)
        )
    }

    /// The replacements, each from its own beginning.
    private var picture: PageSection.Picture? {
        let shown = history.operations.suffix(measure.lanes).reversed().map(OperationPhases.init)
        guard !shown.isEmpty else { return nil }
        let axis = PageAxis(shown.map(\.end))
        let lanes = shown.flatMap {
            PhaseLanes($0.phases(of: server.ownName), axis, most: 1, tellsService: false).lanes
        }
        return PageSection.Picture(
            ticks: axis.ticks,
            lanes: lanes,
            legend: ["stripes, full height: failed", "half height: done", "each row counts from its own beginning"]
        )
    }

    private func console(_ operation: ServerHistory.Operation) -> PageSection.Console? {
        guard let turn = operation.replacement.turn, let cause = turn.cause else { return nil }
        return PageSection.Console(
            machine: "\(server) generation \(operation.replacement.intent.to): what caused it",
            said: PageText.block(ConsoleExcerpt(server: server.ownName, generation: nil, text: cause).text, 4_000)
        )
    }
}
