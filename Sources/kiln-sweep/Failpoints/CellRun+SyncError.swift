import Foundation
import Glibc
import KilnFaults
import KilnOutside

extension CellRun {
    /// Lets every sync of kiln fail with EIO, from the moment at which it stands still to its end.
    func whileSyncsFail() throws {
        let log = home.scratch + "/strace.log"
        defer { unlink(log) }
        var tracer: Child?
        // Also where something else was wrong: nobody is traced after the cell.
        defer { tracer?.send(SIGTERM) }
        var journal = Data()
        try whileStopped { kiln in
            journal = try contents(self.member.journal)
            tracer = try self.failSyncs(of: kiln, log)
        }
        // It lets go of what kiln has started.
        tracer?.send(SIGTERM)
        _ = try tracer?.finish(within: .seconds(10))
        if try !SyncErrors.proof(in: String(decoding: contents(log), as: UTF8.self)) {
            result.miss("kiln synced nothing any more")
        }
        if try contents(member.journal) != journal {
            result.broken.append("the journal has a record that the disk may not have")
        }
    }

    private func failSyncs(of kiln: Child, _ log: String) throws -> Child {
        let tracer = try Child(
            SyncErrors(of: kiln.pid, log: log).command,
            environment: home.environment(failpoint: nil),
            directory: home.scratch
        )
        try awaitThat("strace follows kiln", within: .seconds(10)) {
            guard !tracer.hasEnded else { throw Failure("strace can't follow kiln: \(tracer.errors)") }
            return Processes.tracers(of: kiln.pid) == [tracer.pid]
        }
        return tracer
    }
}
