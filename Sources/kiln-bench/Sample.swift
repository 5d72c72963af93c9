import Foundation

/// One machine that became agent-ready.
struct Sample: Sendable, Codable {
    /// From the command to its end, in seconds.
    let wall: Double
    /// From the start of the guest's kernel to the start of its agent, by the guest's own clock, in seconds.
    let guest: Double
    /// What was not waiting for the guest: for kiln all but the step HEALTHY, for raw QEMU all until the
    /// machine was started; in seconds.
    var host: Double
    /// The journaled steps of kiln's, in milliseconds.
    var steps: [String: Int] = [:]

    /// What was not the guest's own doing, in seconds.
    var overhead: Double { wall - guest }

    /// The command that prints the agent's line of proc(5)'s `stat` when the agent runs it: it is the shell's parent.
    static let agentStat = ["/bin/sh", "-c", "cat /proc/$PPID/stat"]

    /// A sample from the time on the host and what ``agentStat`` printed.
    init(wall: Duration, host: Duration, agentStat text: String) throws {
        // The name, which ends with the last parenthesis, is the 2nd field; the 22nd is the start in hundredths.
        let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 19, let hundredths = Double(fields[19]) else {
            throw Failure("the guest printed \(text.debugDescription) instead of its agent's stat")
        }
        self.wall = wall / .seconds(1)
        self.host = host / .seconds(1)
        guest = hundredths / 100
    }
}

/// Median, spread and number of measurements.
struct Summary: Sendable, Codable {
    let median: Double
    let least: Double
    let greatest: Double
    let count: Int

    /// Of at least one value.
    init?(_ values: [Double]) {
        let sorted = values.sorted()
        guard let first = sorted.first, let last = sorted.last else { return nil }
        (least, greatest, count) = (first, last, sorted.count)
        median = (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    }
}
