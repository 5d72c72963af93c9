import Foundation
import Glibc
import KilnFaults
import KilnOutside

extension RolloutRun {
    /// How long it may take until a rollout has ended, or kiln comes to the failpoint again: by then a member's deadline has
    /// passed, and all have gone back to what they were.
    private static let patience = Duration.seconds(540)

    /// Starts the rollout, and lets the cell's fault happen at the turn of its member.
    func strike(_ watch: FleetWatch) throws {
        let journal = RolloutJournal(of: home)
        let failpoint = cell.moment.failpoint.map { $0 + "=stop" }
        let kiln = try home.start(replace + ["--format", "json"], failpoint: failpoint)
        do {
            try strike(kiln, journal, watch)
        } catch {
            // Nobody drives the rollout any more when the volumes are looked at.
            _ = try? end(of: kiln)
            throw error
        }
    }

    private func strike(_ kiln: Child, _ journal: RolloutJournal, _ watch: FleetWatch) throws {
        guard let ordinal = try awaitTurn(kiln, journal) else {
            note("replace", try end(of: kiln))
            if result.missed == nil { result.broken.append("the moment was not reached") }
            return
        }
        result.notes.append("member \(ordinal)")
        let filler = DiskFiller(path: home.labs + "/.sweep-filler")
        defer { if cell.fault == .fullState { filler.remove() } }
        switch cell.fault {
        case .kill: kiln.send(SIGKILL)
        case .killFront: try home.killFront()
        case .killMember, .killMemberWatched: try watch.kill(fleet.members[ordinal].member)
        case .killDaemon: try home.killDaemon()
        case .fullState: try filler.fill()
        case .secondKiln: try runSecondKiln(while: kiln)
        }
        let end = try end(of: kiln)
        note("replace", end)
        expect(end)
    }

    private func expect(_ end: Child.End) {
        switch cell.fault {
        case .kill:
            if end.status != 137 { result.broken.append("kiln was not killed: it ended with \(end.status)") }
        case .secondKiln where end.status != 0:
            result.broken.append("the first command ended with \(end.status) because of a second")
        default: expectDocumented(end)
        }
    }

    // MARK: - The member's turn

    /// Lets kiln come to the moment of the member whose turn is wanted, where it stands still.
    ///
    /// A failpoint names no member, so kiln stops at each; who it is, the journal says.
    ///
    /// - Returns: the member; nothing where kiln has ended instead, or the moment was missed.
    private func awaitTurn(_ kiln: Child, _ journal: RolloutJournal) throws -> Int? {
        guard cell.moment.failpoint != nil else { return try awaitSoak(kiln, journal) }
        for turn in 0...cell.turn.others {
            if turn > 0 { try letGo(kiln) }
            guard try kiln.awaitStop(within: RolloutRun.patience) else { return nil }
        }
        let begun = journal.begun(cell.moment == .takeOut ? "take-out" : "replace")
        guard begun.count == cell.turn.others + 1, Set(begun).count == begun.count else {
            throw Failure("kiln stood still \(cell.turn.others + 1) times, but its journal has the members \(begun)")
        }
        return begun.last
    }

    /// Stops kiln in a soak, of which the journal tells in time: it lasts much longer than the pause between two looks.
    private func awaitSoak(_ kiln: Child, _ journal: RolloutJournal) throws -> Int? {
        let deadline = ContinuousClock.now + RolloutRun.patience
        while !kiln.hasEnded && journal.soaks.begun.count <= cell.turn.others {
            guard ContinuousClock.now < deadline else {
                throw Failure("no soak of member number \(cell.turn.others + 1) within \(RolloutRun.patience)")
            }
            // The journal grows from cell to cell, and what reads it takes from the processor.
            pause(.milliseconds(200))
        }
        kiln.send(SIGSTOP)
        guard try kiln.awaitStop() else { return nil }
        let soaks = journal.soaks
        if soaks.goesOn, soaks.begun.count == cell.turn.others + 1 { return soaks.begun.last }
        result.miss("the soak was over before kiln stood still")
        return nil
    }

    private func letGo(_ kiln: Child) throws {
        kiln.send(SIGCONT)
        try awaitThat("kiln goes on", within: .seconds(10)) { kiln.hasEnded || Processes.state(of: kiln.pid) != "T" }
    }

    /// Lets kiln go on, also where it comes to the failpoint again, and waits for its end.
    private func end(of kiln: Child) throws -> Child.End {
        repeat { try letGo(kiln) } while try kiln.awaitStop(within: RolloutRun.patience)
        return try kiln.finish()
    }

    // MARK: - Faults

    private func runSecondKiln(while first: Child) throws {
        let second = try home.run(replace + ["--format", "json"], within: .seconds(60))
        note("second replace", second)
        if second.status != 12 || !(second.output + second.errors).contains("pid \(first.pid)") {
            result.broken.append(
                "a second command ended with \(second.status), not 12 naming pid \(first.pid): "
                    + second.errors.suffix(200)
            )
        }
    }
}
