import Foundation
import Glibc
import KilnOutside

extension CellRun {
    /// Lets every sync of kiln fail with EIO, from the moment at which it stands still to its end.
    ///
    /// Below what Kiln writes itself there is no block layer of QEMU that could fail, so strace answers in the kernel's
    /// place. A disk's errors come with the sync: a write only reaches the page cache.
    /// https://man7.org/linux/man-pages/man1/strace.1.html, on "inject"
    func whileSyncsFail() throws {
        let log = home.scratch + "/strace.log"
        defer { unlink(log) }
        var tracer: Child?
        // Also where something else was wrong: nobody is traced after the cell.
        defer { tracer?.send(SIGTERM) }
        var journal = Data()
        try whileStopped { kiln in
            journal = try contents(self.home.server + "/journal")
            tracer = try self.failSyncs(of: kiln, log)
        }
        // It lets go of what kiln has started.
        tracer?.send(SIGTERM)
        _ = try tracer?.finish(within: .seconds(10))
        if try !String(decoding: contents(log), as: UTF8.self).contains("(INJECTED)") {
            result.miss("kiln synced nothing any more")
        }
        if try contents(home.server + "/journal") != journal {
            result.broken.append("the journal has a record that the disk may not have")
        }
    }

    private func failSyncs(of kiln: Child, _ log: String) throws -> Child {
        let tracer = try Child(
            ["strace", "-f", "-qq", "-o", log, "-p", "\(kiln.pid)"]
                + ["-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO"],
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
