import Foundation
import KilnOutside

/// One recording of a machine's writes, and many states in which a power cut could have left its disk.
///
/// Before a flush has ended, a disk may have written any of what it was given since the flush before. So a state is all
/// writes up to a flush, and none or some of those between it and the next one.
struct PowerCutCell {
    let name: String
    /// How many states are looked at.
    let states: Int
    let seed: UInt64
    /// False plants a bug: see ``RecordedMachine``.
    let isSyncing: Bool

    /// How many records a recording has.
    private static let records = 120

    /// Records and looks; what is wrong is in the result.
    func run(image: String) -> CellResult {
        var result = CellResult(cell: name)
        result.notes = ["seed \(seed)"]
        let start = ContinuousClock.now
        do {
            // In memory: the order of writes is in the log, and the host's own disk is not what is tried.
            let parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : FileManager.default.temporaryDirectory.path
            let directory = "\(parent)/kiln-cut-\(String(UInt32.random(in: .min ... .max), radix: 36))"
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
            defer { try? FileManager.default.removeItem(atPath: directory) }
            try run(RecordedMachine(directory: directory, isSyncing: isSyncing), image, &result)
        } catch {
            result.broken.append("\(error)")
        }
        result.seconds = (ContinuousClock.now - start) / .seconds(1)
        return result
    }

    private func run(_ machine: RecordedMachine, _ image: String, _ result: inout CellResult) throws {
        let acknowledged = try machine.record(image: image, records: PowerCutCell.records)
        let log = try WriteLog(machine.log)
        let flushes = log.entries.indices.filter { log.entries[$0].isFlush }
        let first = acknowledged.first?.mark ?? 0
        let usable = flushes.indices.dropLast().filter { flushes[$0] + 1 >= Int(first) }
        guard usable.count >= 2 else { throw Failure("only \(usable.count) flushes were recorded") }
        result.acknowledged = acknowledged.count
        result.notes.append("\(log.entries.count) writes and flushes, \(flushes.count) flushes")
        result.runs = states

        var random = Random(state: seed)
        var disk = [UInt8](try contents(machine.initial))
        var applied = 0
        for number in 0..<states {
            let place = usable[usable.startIndex + number * usable.count / states]
            let (flush, next) = (flushes[place], flushes[place + 1])
            for entry in log.entries[applied..<flush] { log.apply(entry, to: &disk) }
            applied = flush
            // Every second state is the flush itself, the others have some of what came after it.
            var state = disk
            if number % 2 == 1 {
                for entry in log.entries[flush..<next] where entry.isForced || Bool.random(using: &random) {
                    log.apply(entry, to: &state)
                }
            }
            // An acknowledgement that came before the next flush had ended rests on this one or an earlier one.
            let due = acknowledged.filter { Int($0.mark) <= next }.map(\.acknowledgement)
            try look(at: state, machine, due, "state \(number), flush at entry \(flush)", &result)
        }
    }

    private func look(
        at state: [UInt8],
        _ machine: RecordedMachine,
        _ due: [Acknowledgement],
        _ what: String,
        _ result: inout CellResult
    ) throws {
        let copy = machine.directory + "/state.raw"
        try Data(state).write(to: URL(fileURLWithPath: copy))
        let check = FileSystemCheck(image: copy) { try machine.run($0) }
        if let problem = try check.problem() { result.broken.append("\(what): \(problem)") }
        let verdict = LedgerFile.verdict(try check.file("/ledger"), acknowledged: due)
        if verdict.lost > 0 { result.notes.append("\(what): \(verdict.lost) of \(due.count) lost") }
        if verdict.duplicated > 0 { result.broken.append("\(what): \(verdict.duplicated) records twice") }
        result.lost += verdict.lost
    }

    /// SplitMix64: the same seed chooses the same states. https://prng.di.unimi.it/splitmix64.c
    private struct Random: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
            return mixed ^ (mixed >> 31)
        }
    }
}
