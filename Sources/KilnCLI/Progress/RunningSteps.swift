import KilnScenarios

/// The steps of scenarios that go on, as lines: one for each that holds no other of them.
struct RunningSteps {
    /// Which step of which run.
    struct Key: Hashable {
        let run: Int
        let id: StepID
    }

    /// A step that goes on.
    struct Running {
        let label: String
        let since: Duration
        let expected: Duration?
    }

    /// How many have a line; more would push what was told off the screen.
    static let mostLines = 8

    private var running: [(key: Key, step: Running)] = []

    mutating func begin(_ key: Key, _ label: String, expected: Duration?, at now: Duration) {
        running.removeAll { $0.key == key }
        running.append((key, Running(label: label, since: now, expected: expected)))
    }

    /// Ends a step, with what began again inside it; nothing where it was only passed over.
    mutating func end(_ key: Key) -> Running? {
        let found = running.first { $0.key == key }?.step
        running.removeAll { $0.key == key }
        return found
    }

    mutating func endRun(_ run: Int) { running.removeAll { $0.key.run == run } }

    /// What goes on, such as `step 2 replace web …  3.2 s of about 12.0 s`.
    func lines(at now: Duration) -> [String] {
        let holders = Set(running.map { Key(run: $0.key.run, id: $0.key.id.parent) })
        let inner = running.filter { !holders.contains($0.key) }
        let shown = inner.prefix(RunningSteps.mostLines).map { line($0.step, at: now) }
        let more = inner.count - shown.count
        return shown + (more > 0 ? ["… and \(more) more steps"] : [])
    }

    private func line(_ step: Running, at now: Duration) -> String {
        let expected = step.expected.map { " of about \(ProgressLines.seconds($0))" } ?? ""
        return "\(step.label) …  \(ProgressLines.seconds(now - step.since))\(expected)"
    }
}
