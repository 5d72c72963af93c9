import Synchronization
import Testing

/// Writes numbers to a file directly in a mount point, at every moment at which the guest's agent answers.
///
/// A number counts as acknowledged where the guest has synced it.
final class HastyWriter: Sendable {
    static let path = "/data/numbers"

    private let acknowledged = Mutex<[Int]>([])
    private let lab: Lab

    init(_ lab: Lab) { self.lab = lab }

    /// Writes until the task is cancelled.
    func run() async throws {
        var number = 0
        while !Task.isCancelled {
            number += 1
            let write = "echo \(number) >>\(Self.path) && sync \(Self.path)"
            let line = ["exec", lab.web, "--now", "--timeout", "20s", "--", "sh", "-c", write]
            let written = number
            // A command that has begun is awaited, so that each number is known to be acknowledged or not.
            let end = try await Task { [lab] in try await lab.home.run(line) }.value
            if end.status == 0 {
                acknowledged.withLock { $0.append(written) }
            } else {
                try? await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    /// Waits until so many numbers more are acknowledged.
    func await(_ count: Int) async throws {
        let before = acknowledged.withLock { $0.count }
        try await eventually("\(count) acknowledged writes", within: .seconds(120)) {
            acknowledged.withLock { $0.count } >= before + count
        }
    }

    /// The acknowledged numbers that are not in the file, and how many were acknowledged.
    func lost() async throws -> (lost: [Int], of: Int) {
        let found = Set(try await lab.shell("cat \(Self.path)").split(separator: "\n").map(String.init))
        let all = acknowledged.withLock { $0 }
        return (all.filter { !found.contains("\($0)") }, all.count)
    }
}
