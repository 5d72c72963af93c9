import Foundation
import KilnOutside

/// One cell: a server under load, an operation, a fault, the next command, and what holds then.
final class CellRun: LaneRun {
    let cell: FailpointCell
    let server: LaneServer
    var result: CellResult
    var home: LaneHome { server.home }
    var member: LaneMember { server.member }
    /// The generation that served before the operation.
    var before: Int?
    private var transcript = Transcript()

    init(_ cell: FailpointCell, on server: LaneServer) {
        self.cell = cell
        self.server = server
        result = CellResult(cell: cell.name)
    }

    /// Runs it; what is wrong is in the result.
    func run() -> CellResult {
        let seen = WriterWatch.looking(at: [member], of: home) {
            try server.beginLedger(awaiting: 3)
            try prepare()
            // Its writer never rests, and would take from the processor that a new machine needs to boot beside it.
            for machine in home.machines { Processes.yield(machine.pid) }
            try strike()
            try recover()
            try check()
        }
        result.take(seen)
        return result
    }

    var operation: String { cell.point.operation.name }

    /// A number that differs from cell to cell, but is the same whenever the cell is run.
    var variant: Int { result.variant }

    func note(_ command: String, _ end: Child.End) { transcript.note(command, end, &result) }

    /// Keeps what helps to understand what was found.
    func keepEvidence(in directory: String) {
        try? transcript.keep(in: directory, result, home, [(member: member, before: before)])
    }

    /// Requires a documented exit code, explained in JSON, that is true.
    func expectDocumented(_ end: Child.End) {
        // 10 and 11 say that what served before serves on; unless this cell has killed it.
        let isKept = running == (before.map { [$0] } ?? [])
        if [10, 11].contains(end.status), !isKept, cell.fault != .killOld {
            result.broken.append("kiln ended with \(end.status), but generation \(before ?? 0) does not run")
        }
        if let problem = Ending.problem(end, isExplained: Ending(end)?.explains(end.status) == true) {
            result.broken.append(problem)
        }
    }

    /// The generations that run.
    var running: [Int] { home.machines.compactMap { Embodiment($0)?.generation } }

    /// Requires that it was the failpoint that failed, and that kiln then did what its rules say.
    ///
    /// Before HANDOVER it aborts, after it it reverts; COMMIT stays open; a way back that fails halts. A launch and a
    /// snapshot have nothing to revert to, so they end as what was not done.
    func expectFailure(_ end: Child.End) {
        let point = cell.point
        let words = "the failpoint \(point.step).\(point.moment) was hit"
        let ending = Ending(end)
        let (status, isHit): (Int32, Bool) =
            if point.way != nil {
                (13, ending?.outcome == "halted" && ending?.reason?.contains(words) == true)
            } else if point.step == "commit" {
                (13, ending?.error?.code == "replace.open" && ending?.error?.message.contains(words) == true)
            } else if !point.operation.isReplacement {
                (10, ending?.error?.code == "failpoint.hit")
            } else {
                (point.isHandedOver ? 11 : 10, ending?.turn == Ending.Turn(step: point.step, code: "failpoint.hit"))
            }
        if end.status != status || !isHit {
            result.broken.append(
                "'fail' led to \(end.status), not to \(status) because of the failpoint: \((end.output + end.errors).suffix(400))"
            )
        }
    }
}

/// What kiln says of its end: one JSON document with the outcome, or with an error's code.
struct Ending: Decodable {
    struct Problem: Decodable {
        let code: String
        let message: String
    }

    /// Why a replacement turned back.
    struct Turn: Decodable, Equatable {
        let step: String
        let code: String
    }

    let error: Problem?
    let outcome: String?
    let exit: Int32?
    let turn: Turn?
    let reason: String?

    /// Reads it from standard output or error; nothing where neither is such a document.
    init?(_ end: Child.End) {
        let documents = [end.output, end.errors].lazy.compactMap {
            try? JSONDecoder().decode(Ending.self, from: Data($0.utf8))
        }
        guard let first = documents.first else { return nil }
        self = first
    }

    /// What kiln may end with; 70 says that Kiln itself is wrong, so it is never right.
    private static let documented: Set<Int32> = [0, 10, 11, 12, 13, 69, 75]

    /// What is wrong with an exit status, of which it is known whether the document explains it.
    static func problem(_ end: Child.End, isExplained: Bool) -> String? {
        guard documented.contains(end.status) else {
            return "kiln ended with \(end.status): \((end.output + end.errors).suffix(400))"
        }
        guard end.status != 0, !isExplained else { return nil }
        return "kiln ended with \(end.status) and no code or outcome in JSON: \(end.output.suffix(300))"
    }

    /// Whether it says why the status is not 0.
    func explains(_ status: Int32) -> Bool {
        if let error { return error.code.contains(".") && !error.message.isEmpty }
        return outcome != nil && exit == status
    }
}
