import Foundation
import KilnOutside

/// What a sweep has found, a row for each tier and fault.
struct SweepTable {
    let results: [CellResult]
    let unfinished: [String]
    let impossible: [(cell: FailpointCell, reason: String)]
    let failpoints: [FailpointCell]
    let rollouts: [RolloutCell]
    let heals: [String]
    /// How long this run took; cells of earlier runs are not in it.
    let took: Duration

    private static let header = [
        "tier", "points", "cells run", "cannot occur", "not hit", "acknowledged", "lost", "both serving",
        "neither serving", "too many out", "leftovers", "other", "seconds",
    ]

    private static let untried = "Not tried, and why:"

    /// The status that says what is not as it should be; nothing where all is.
    var exitStatus: Int32? {
        if results.contains(where: { !$0.isClean }) { return 1 }
        return unfinished.isEmpty ? nil : 75
    }

    private var rows: [[String]] {
        var rows: [[String]] = []
        for operation in Operation.all {
            for fault in Fault.allCases {
                let prefix = "failpoints/\(operation.name)/"
                let own = results.filter { $0.cell.hasPrefix(prefix) && $0.cell.hasSuffix("/\(fault.rawValue)") }
                let not = impossible.count { $0.cell.point.operation.name == operation.name && $0.cell.fault == fault }
                let points = failpoints.count { $0.point.operation.name == operation.name && $0.fault == fault } + not
                if points > 0 { rows.append(row("\(operation.name), \(fault.rawValue)", points, own, not)) }
            }
        }
        for fault in RolloutFault.allCases {
            let names = Set(rollouts.filter { $0.fault == fault }.map(\.name))
            let own = results.filter { names.contains($0.cell) }
            if !names.isEmpty { rows.append(row("\(RolloutCell.tier), \(fault.rawValue)", names.count, own, 0)) }
        }
        let healed = results.filter { $0.tier == HealCell.tier }
        if !heals.isEmpty { rows.append(row("\(HealCell.tier), kill-member", heals.count, healed, 0)) }
        for (tier, name) in [("schedules", "random lives of the model"), ("power-cuts", "power cuts")] {
            let own = results.filter { $0.tier == tier }
            if !own.isEmpty { rows.append(row(name, own.reduce(0) { $0 + $1.runs }, own, 0)) }
        }
        rows.append(row("all", rows.reduce(0) { $0 + (Int($1[1]) ?? 0) }, results, impossible.count))
        return rows
    }

    private func row(_ name: String, _ points: Int, _ own: [CellResult], _ not: Int) -> [String] {
        let sums = [
            own.reduce(0) { $0 + $1.runs }, not, own.count { $0.missed != nil },
            own.reduce(0) { $0 + $1.acknowledged }, own.reduce(0) { $0 + $1.lost },
            own.reduce(0) { $0 + $1.bothServing }, own.reduce(0) { $0 + $1.neitherServing },
            own.reduce(0) { $0 + ($1.tooManyOut ?? 0) }, own.reduce(0) { $0 + $1.leftovers.count },
            own.reduce(0) { $0 + $1.broken.count },
            Int(own.reduce(0) { $0 + $1.seconds }.rounded()),
        ]
        return [name, "\(points)"] + sums.map(String.init)
    }

    /// The table for a terminal.
    var text: String {
        let lines = TextTable([SweepTable.header] + rows).lines
        let untried = [SweepTable.untried] + Untried.all.map { "- \($0)" }
        return (lines + [""] + remarks + [""] + untried).joined(separator: "\n") + "\n"
    }

    /// The table for a README.
    var markdown: String {
        func line(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }
        let rule = "|" + SweepTable.header.indices.map { $0 == 0 ? "---|" : "---:|" }.joined()
        let table = [line(SweepTable.header), rule] + rows.map(line)
        let untried = ["", SweepTable.untried, ""] + Untried.all.map { "- \($0)" }
        return (table + [""] + remarks.map { "- \($0)" } + untried).joined(separator: "\n") + "\n"
    }

    private var remarks: [String] {
        let reasons = Dictionary(grouping: impossible, by: \.reason).sorted { $0.key < $1.key }.map { reason, cells in
            "cannot occur, \(cells.count) cells: \(reason)"
        }
        let bad = results.filter { !$0.isClean }.map { "\($0.cell): \(SweepTable.findings($0))" }
        let open = unfinished.isEmpty ? [] : ["not run: \(unfinished.count) cells, the first is \(unfinished[0])"]
        let minutes = String(format: "%.1f", took / .seconds(60))
        return reasons + bad + open + ["this run took \(minutes) min"]
    }

    /// What is wrong with a cell, on one line.
    static func findings(_ result: CellResult) -> String {
        let counts = [
            (result.lost, "lost"), (result.bothServing, "both serving"), (result.neitherServing, "neither serving"),
            (result.tooManyOut ?? 0, "too many out"),
        ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        let missed = result.missed.map { ["not hit: \($0)"] } ?? []
        let left = result.leftovers.map { "left: \($0)" }
        return (missed + counts + left + result.broken + result.notes).joined(separator: "; ")
            .replacingOccurrences(of: "\n", with: " ")
    }
}
