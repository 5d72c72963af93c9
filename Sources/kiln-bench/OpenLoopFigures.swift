/// What a client of an open loop saw of an operation, and just before and after it.
struct OpenLoopFigures: Sendable, Codable {
    /// What it saw in a stretch of time.
    struct Window: Sendable, Codable {
        /// How many requests were due in it.
        let requests: Int
        /// How many of them were not answered, by what became of them.
        let failures: [OpenLoopClient.Outcome: Int]
        /// How long the answers took from the begin of the request, in seconds; nothing where there was none.
        let answers: Summary?
        /// The longest time between two answers, in seconds, of which a part lies in it.
        let longest: Double

        var failed: Int { failures.values.reduce(0, +) }

        init(_ requests: [OpenLoopClient.Request], in time: Range<ContinuousClock.Instant>) {
            let asked = requests.filter { time.contains($0.due) }
            self.requests = asked.count
            failures = Dictionary(grouping: asked.filter { !$0.isAnswered }, by: \.outcome).mapValues(\.count)
            answers = Summary(asked.filter(\.isAnswered).map(\.time))
            let ends = requests.filter(\.isAnswered).map(\.end).sorted()
            let pauses = zip(ends, ends.dropFirst()).filter { $1 > time.lowerBound && $0 < time.upperBound }
            longest = (pauses.map { $1 - $0 }.max() ?? .zero) / .seconds(1)
        }
    }

    /// Which part of the requests was begun by the clock, 0 to 1.
    let rateKept: Double
    let before: Window
    let during: Window
    let after: Window
    /// Whether the client could do its work, and the service was well before and after.
    let isValid: Bool

    /// The least part of the requests that has to be begun by the clock.
    static let leastRate = 0.98

    init(_ requests: [OpenLoopClient.Request], during operation: Range<ContinuousClock.Instant>) {
        let (begin, end) = (operation.lowerBound, operation.upperBound)
        rateKept = Double(requests.count(where: \.isTimely)) / Double(max(1, requests.count))
        before = Window(requests, in: begin - OpenLoopClient.control..<begin)
        during = Window(requests, in: operation)
        after = Window(requests, in: end..<end + OpenLoopClient.control)
        isValid =
            rateKept >= OpenLoopFigures.leastRate
            && [before, after].allSatisfy { $0.requests > 0 && $0.failed == 0 }
    }

    /// Why it is not valid, for people; nothing where it is.
    var flaw: String? {
        guard !isValid else { return nil }
        guard rateKept >= OpenLoopFigures.leastRate else {
            return "the client began \(Int(rateKept * 1_000) / 10) % of its requests in time"
        }
        return "\(before.failed) requests failed before, and \(after.failed) after"
    }
}
