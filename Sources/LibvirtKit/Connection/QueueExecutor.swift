import Dispatch

/// Runs an actor's jobs on a serial queue of its own.
///
/// libvirt's calls block; on Swift's shared thread pool they would starve every other task of the process.
final class QueueExecutor: SerialExecutor {
    private let queue: DispatchQueue

    init(label: String) {
        queue = DispatchQueue(label: label)
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async {
            job.runSynchronously(on: self.asUnownedSerialExecutor())
        }
    }
}
