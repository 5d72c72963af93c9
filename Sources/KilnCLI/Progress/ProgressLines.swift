import KilnEngine
import KilnModel
import KilnScenarios

/// Turns progress into what is written to standard error, as a pure function of events and time.
///
/// On a terminal every finished step is a line. Below them, rewritten in place, there is a line for each step of a scenario that
/// goes on, and one that tells what is being waited for and for how long. Elsewhere there are only lines, and a wait is told
/// when it changes, but not more often than ``throttle``.
struct ProgressLines {
    /// How often a wait is told where lines can't be rewritten.
    static let throttle = Duration.seconds(5)

    private struct Wait {
        let machine: String
        var step: Step
        let since: Duration
        var text: String?
        var told: Duration
        var toldText: String?
    }

    private let isLive: Bool
    /// How wide the terminal is; a user may change it at any time.
    var columns: Int
    private let style: Style
    private var steps = RunningSteps()
    private var waits: [MemberID: Wait] = [:]
    private var order: [MemberID] = []
    /// How many lines are there that will be rewritten.
    private var shown = 0

    init(isLive: Bool, columns: Int, style: Style) {
        self.isLive = isLive
        self.columns = columns
        self.style = style
    }

    /// What is to be written when `progress` is told at the time `now`.
    mutating func take(_ progress: Progress, at now: Duration) -> String {
        switch progress {
        case .plan(let server, let detail): return line("\(server)  \(ConsoleText.singleLine(detail))", at: now)
        case .note(let text): return line(ConsoleText.singleLine(text), at: now)
        case .began(let server, let generation, let step):
            begin(server, "\(server)#\(generation)", step, at: now)
            return isLive ? redrawn(at: now) : ""
        case .waiting(let server, let generation, let text):
            return wait(server, generation, text, at: now)
        case .finished(let server, let generation, let step, let milliseconds):
            end(server)
            let time = ProgressLines.seconds(.milliseconds(milliseconds))
            return line("\(server)#\(generation)  \(style.good(step.rawValue))  \(style.faint(time))", at: now)
        case .turnedBack(let server, let turn):
            end(server)
            let what = style.bad("\(turn.direction.rawValue): \(turn.step.rawValue) failed:")
            return line("\(server)  \(what) \(ConsoleText.singleLine(turn.reason))", at: now)
        }
    }

    /// What is to be written now and then, so that the elapsed time goes on.
    mutating func tick(at now: Duration) -> String { isLive && shown > 0 ? redrawn(at: now) : "" }

    /// What takes the rewritten lines away, before something else is written.
    mutating func clear() -> String {
        defer { shown = 0 }
        return shown == 0 ? "" : ProgressLines.erased(shown)
    }

    private static func erased(_ count: Int) -> String {
        "\r\u{1b}[K" + String(repeating: "\u{1b}[1A\u{1b}[K", count: max(count - 1, 0))
    }

    // MARK: - Steps of scenarios

    /// What is to be written when a step of a scenario begins.
    ///
    /// - Parameter expected: how long it took before; nothing where nobody knows.
    mutating func begin(_ step: RunningSteps.Key, _ label: String, expected: Duration?, at now: Duration) -> String {
        let label = ConsoleText.singleLine(label)
        steps.begin(step, label, expected: expected, at: now)
        if isLive { return redrawn(at: now) }
        return line(label + (expected.map { ", about \(ProgressLines.seconds($0))" } ?? ""), at: now)
    }

    /// What is to be written when it ends.
    mutating func end(_ step: RunningSteps.Key, _ outcome: ScenarioReport.Outcome, at now: Duration) -> String {
        guard let ended = steps.end(step) else { return "" }
        let time = ProgressLines.seconds(now - ended.since)
        let isGood = outcome == .passed
        if isLive {
            let word = isGood ? style.good(outcome.rawValue) : style.bad(outcome.rawValue)
            return line("\(ended.label)  \(word)  \(style.faint(time))", at: now)
        }
        return isGood ? "" : line("\(ended.label)  \(outcome.rawValue)  \(time)", at: now)
    }

    /// What is to be written when a run has ended, also one whose steps didn't.
    mutating func endRun(_ run: Int, at now: Duration) -> String {
        steps.endRun(run)
        return isLive ? redrawn(at: now) : ""
    }

    /// A duration for people: `0.4 s`, `12.3 s`, `2 min 03 s`.
    static func seconds(_ duration: Duration) -> String {
        let tenths = Int((duration / .milliseconds(100)).rounded())
        guard tenths >= 1200 else { return "\(tenths / 10).\(tenths % 10) s" }
        let whole = tenths / 10
        return "\(whole / 60) min \(whole % 60 < 10 ? "0" : "")\(whole % 60) s"
    }

    // MARK: - Waits

    private mutating func begin(_ server: MemberID, _ machine: String, _ step: Step, at now: Duration) {
        if !order.contains(server) { order.append(server) }
        waits[server] = Wait(machine: machine, step: step, since: now, text: nil, told: now, toldText: nil)
    }

    private mutating func end(_ server: MemberID) {
        waits[server] = nil
        order.removeAll { $0 == server }
    }

    private mutating func wait(_ server: MemberID, _ generation: Generation, _ text: String, at now: Duration) -> String
    {
        if waits[server] == nil { begin(server, "\(server)#\(generation)", .healthy, at: now) }
        guard var wait = waits[server] else { return "" }
        wait.text = ConsoleText.singleLine(text)
        let isNews = wait.text != wait.toldText && now - wait.told >= ProgressLines.throttle
        if isNews {
            wait.told = now
            wait.toldText = wait.text
        }
        waits[server] = wait
        if isLive { return redrawn(at: now) }
        return isNews ? described(wait, at: now) + "\n" : ""
    }

    // MARK: - Lines

    private mutating func line(_ text: String, at now: Duration) -> String {
        guard isLive else { return text + "\n" }
        let cleared = clear()
        return cleared + text + "\n" + redrawn(at: now)
    }

    private mutating func redrawn(at now: Duration) -> String {
        let lines = (steps.lines(at: now) + [current(at: now)].compactMap(\.self)).map {
            String($0.prefix(max(columns - 1, 20)))
        }
        guard !lines.isEmpty else { return clear() }
        let erased = ProgressLines.erased(shown)
        shown = lines.count
        return erased + lines.joined(separator: "\n")
    }

    private func current(at now: Duration) -> String? {
        guard let first = order.first, let wait = waits[first] else { return nil }
        let more = order.count > 1 ? "  (and \(order.count - 1) more)" : ""
        return described(wait, at: now) + more
    }

    private func described(_ wait: Wait, at now: Duration) -> String {
        let text = wait.text.map { ": \($0)" } ?? ""
        return "\(wait.machine)  \(wait.step.rawValue)\(text) …  \(ProgressLines.seconds(now - wait.since))"
    }
}
