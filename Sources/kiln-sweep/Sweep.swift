import Foundation
import KilnOutside
import Synchronization

/// All cells of all tiers, of which those without a clean result are run.
final class Sweep: Sendable {
    /// How many recordings of power cuts there are.
    private static let recordings = 4
    /// How many runs of the schedules there are, and how many lives each has.
    private static let schedules = (runs: 4, lives: 2500)

    private let kiln: String
    private let images: String
    private let results: ResultFile
    private let only: [String]
    private let lanes: Int
    private let states: Int
    private let isSyncing: Bool
    private let deadline: ContinuousClock.Instant
    private let finished: Mutex<[String: CellResult]>

    init(
        kiln: String,
        images: String,
        results: ResultFile,
        only: [String],
        lanes: Int,
        states: Int,
        isSyncing: Bool,
        deadline: ContinuousClock.Instant
    ) {
        self.kiln = kiln
        self.images = images
        self.results = results
        self.only = only
        self.lanes = lanes
        self.states = states
        self.isSyncing = isSyncing
        self.deadline = deadline
        finished = Mutex(results.finished())
    }

    /// Runs what has no clean result yet, as long as there is time.
    func run() throws -> SweepTable {
        Interruption.install()
        let start = ContinuousClock.now
        for number in 1...Sweep.recordings { try runPowerCut("power-cuts/\(number)") }
        for number in 1...Sweep.schedules.runs { try runSchedules("schedules/\(number)") }
        for operation in Operation.all { try runFailpoints(operation) }
        try runRollouts()
        try runHeals()
        return table(took: ContinuousClock.now - start)
    }

    /// The first text that chooses no cell; nothing where each chooses one.
    ///
    /// - Parameter possible: whether a cell that can't occur does not count.
    static func stray(_ only: [String], possible: Bool) -> String? {
        let cells = FailpointCell.all.filter { !possible || $0.fault.impossibility(at: $0.point) == nil }
        let names = others + cells.map(\.name) + ofMembers
        return only.first { text in !names.contains { $0.contains(text) } }
    }

    /// The names of all cells, and why some can't occur.
    var listing: String {
        let failpoints = FailpointCell.all.map { cell in
            cell.name + (cell.fault.impossibility(at: cell.point).map { "  can't occur: \($0)" } ?? "")
        }
        let all = Sweep.others + failpoints + Sweep.ofMembers
        return all.filter { isWanted($0) }.map { $0 + "\n" }.joined()
    }

    private static func names(_ tier: String, _ count: Int) -> [String] { (1...count).map { "\(tier)/\($0)" } }

    private static var ofMembers: [String] { RolloutCell.all.map(\.name) + HealCell.all.map(\.name) }

    private static var others: [String] {
        names("power-cuts", Sweep.recordings) + names("schedules", Sweep.schedules.runs)
    }

    private func table(took: Duration) -> SweepTable {
        let failpoints = FailpointCell.all.filter { isWanted($0.name) }
        let possible = failpoints.filter { $0.fault.impossibility(at: $0.point) == nil }
        let rollouts = RolloutCell.all.filter { isWanted($0.name) }
        let heals = HealCell.all.map(\.name).filter(isWanted)
        let wanted = Sweep.others.filter(isWanted) + possible.map(\.name) + rollouts.map(\.name) + heals
        let all = finished.withLock { $0 }
        return SweepTable(
            results: wanted.compactMap { all[$0] },
            unfinished: wanted.filter { all[$0] == nil },
            impossible: failpoints.compactMap { cell in
                cell.fault.impossibility(at: cell.point).map { (cell: cell, reason: $0) }
            },
            failpoints: possible,
            rollouts: rollouts,
            heals: heals,
            took: took
        )
    }

    // MARK: - Tiers

    private func runPowerCut(_ name: String) throws {
        guard isDue(name) else { return }
        let cell = PowerCutCell(name: name, states: states, seed: seed(of: name), isSyncing: isSyncing)
        try take(cell.run(image: try image()))
    }

    private func runSchedules(_ name: String) throws {
        guard isDue(name) else { return }
        try take(ScheduleCell(name: name, lives: Sweep.schedules.lives, seed: seed(of: name)).run())
    }

    // New seeds in every sweep on another basis, the same ones where a cell is run again.
    private func seed(of name: String) -> UInt64 {
        let hash = (results.basis.of(name) + name).utf8.reduce(UInt64(0xcbf2_9ce4_8422_2325)) {
            ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3
        }
        return hash % 1_000_000_000
    }

    private func image() throws -> String {
        let name = String(decoding: try contents(images + "/names/tiny/1"), as: UTF8.self)
        let digest = name.trimmingCharacters(in: .whitespacesAndNewlines).replacingOccurrences(of: "sha256:", with: "")
        return "\(images)/sha256/\(digest)"
    }

    private func runFailpoints(_ operation: Operation) throws {
        let due = FailpointCell.all.filter {
            $0.point.operation.name == operation.name && $0.fault.impossibility(at: $0.point) == nil && isDue($0.name)
        }
        try run(due.map(\.name), of: operation.name, lanes: lanes)
    }

    // One at a time: three members of a server take all that a small host has.
    private func runRollouts() throws {
        try run(RolloutCell.all.map(\.name).filter(isDue), of: RolloutCell.tier, lanes: 1)
    }

    private func runHeals() throws {
        try run(HealCell.all.map(\.name).filter(isDue), of: HealCell.tier, lanes: 1)
    }

    /// Runs cells on servers of their own, several at a time.
    private func run(_ names: [String], of operation: String, lanes: Int) throws {
        guard !names.isEmpty else { return }
        let queue = Mutex(names[...])
        let problems = Mutex<[String]>([])
        let group = DispatchGroup()
        for _ in 0..<min(lanes, names.count) {
            group.enter()
            // Each waits for a process of its own, most of the time.
            Thread.detachNewThread {
                defer { group.leave() }
                do {
                    try self.work(off: { queue.withLock { $0.popFirst() } }, operation)
                } catch {
                    problems.withLock { $0.append("\(error)") }
                }
            }
        }
        group.wait()
        if let problem = problems.withLock({ $0.first }) { throw Failure(problem) }
    }

    /// Runs cells one after the other on one server; after a cell that found something, on a new one.
    private func work(off next: () -> String?, _ operation: String) throws {
        var lane: LaneProcess?
        defer { lane?.end() }
        let directory = URL(fileURLWithPath: results.path).deletingLastPathComponent().path
        while !isOver, let cell = next() {
            let current =
                try lane ?? LaneProcess(kiln: kiln, images: images, operation: operation, directory: directory)
            lane = current
            var result = CellResult(cell: cell)
            if let found = current.run(cell) {
                result = found
            } else {
                result.broken = ["the lane ended; see \(directory)/lanes.log"]
            }
            try take(result)
            if !result.isClean {
                current.end()
                lane = nil
            }
        }
    }

    // MARK: - Results

    private func isWanted(_ name: String) -> Bool { only.isEmpty || only.contains { name.contains($0) } }

    private var isOver: Bool { Interruption.isCaught || ContinuousClock.now >= deadline }

    private func isDue(_ name: String) -> Bool {
        isWanted(name) && !isOver && finished.withLock { $0[name]?.isClean != true }
    }

    private func take(_ result: CellResult) throws {
        try results.append(result)
        finished.withLock { $0[result.cell] = result }
        let verdict = result.isClean ? "ok" : "NOT OK: \(SweepTable.findings(result))"
        let line =
            "\(result.cell)  \(String(format: "%.1f", result.seconds)) s  \(result.notes.joined(separator: ", "))  \(verdict)\n"
        FileHandle.standardError.write(Data(line.utf8))
    }
}
