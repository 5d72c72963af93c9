import Foundation
import Glibc
import KilnModel
import KilnSystem

extension LocalExternals {
    /// Ends a service: asks it to end at once in good order, then to leave everything as it is, then kills it.
    ///
    /// It is at its end when none of its processes has the lock any more. It blocks its thread.
    ///
    /// - Throws: `KilnError` with code `external.deadline` where one goes on even then.
    func end(_ folder: ExternalFolder) throws {
        let memory = folder.sharedMemory
        if try isOver(folder, SIGINT, within: patience.end) { return }
        if try isOver(folder, SIGQUIT, within: patience.abort) { return }
        // Each of them is in a session of its own, and ends by itself once its parent is gone; one that is stuck does not.
        let children = folder.process(of: owner)?.children ?? []
        let isOver = try isOver(folder, SIGKILL, within: .seconds(2))
        if !isOver { children.forEach { $0.send(SIGKILL) } }
        guard try isOver || self.isOver(folder, SIGKILL, within: patience.abort) else {
            let pid = folder.process(of: owner).map { ", process \($0.pid)," } ?? ""
            throw KilnError(
                .externalDeadline,
                "the external service \(folder.id)\(pid) was killed and has not ended",
                hint: "see what holds \(folder.lock), end it, then run 'kiln gc'",
                exit: .deadline
            )
        }
        if let memory { forget(memory) }
    }

    /// Sends a signal, and waits until no process of the service is left.
    private func isOver(_ folder: ExternalFolder, _ signal: Int32, within limit: Duration) throws -> Bool {
        let end = ContinuousClock.now + limit
        var isSent = false
        while true {
            if try isFree(folder) { return true }
            // One that was just started when Kiln was killed says a moment later who it is.
            if !isSent, let process = folder.process(of: owner) {
                process.send(signal)
                isSent = true
            }
            guard ContinuousClock.now < end else { return false }
            // flock(2) knows no event.
            poll(nil, 0, 20)
        }
    }

    private func isFree(_ folder: ExternalFolder) throws -> Bool {
        let file = open(folder.lock, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        // It was not started yet.
        if file < 0, errno == ENOENT { return true }
        guard file >= 0 else { throw DurableFile.failure("open", folder.lock) }
        defer { close(file) }
        return KernelLock.take(file)
    }

    // The 56 bytes by which two servers on the same files would know each other stay after a kill.
    private func forget(_ memory: Int32) {
        var status = shmid_ds()
        guard shmctl(memory, IPC_STAT, &status) == 0, status.shm_perm.uid == owner.uid, status.shm_nattch == 0 else {
            return
        }
        _ = shmctl(memory, IPC_RMID, nil)
    }
}
