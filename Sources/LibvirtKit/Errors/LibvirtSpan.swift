import Logging

/// One call into libvirt, from just before it to its outcome, for the trace.
///
/// What was passed (documents, commands for a guest) is never part of it, and no words of a guest are.
struct LibvirtSpan {
    private let operation: String
    private let subject: String
    private let start = ContinuousClock.now

    init(_ operation: String, _ subject: String) {
        self.operation = operation
        self.subject = subject
    }

    func succeeded() { log(outcome: "ok") }

    /// The error of the call, which has just failed on this thread.
    func failed() -> LibvirtError {
        let error = LibvirtError.last(operation: operation, subject: subject)
        // A guest's agent may repeat its command's arguments, and their secrets, in its refusal.
        let words = operation.hasPrefix(GuestAgent.operation) ? "\(error.message.utf8.count) bytes" : error.message
        log(outcome: "code \(error.code.rawValue), origin \(error.origin.rawValue): \(words)")
        return error
    }

    private func log(outcome: String) {
        let duration = start.duration(to: .now)
        LibvirtSpan.logger.debug(
            "\(operation) '\(subject)'",
            metadata: ["ms": "\(duration.milliseconds)", "outcome": "\(outcome)"]
        )
    }

    private static var logger: Logger { Logger(label: "libvirt") }
}

extension Duration {
    /// Whole milliseconds.
    var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
