import KilnEngine
import KilnModel

/// All requests to a service, and when something was done to it; a judgement is a pure function of it.
public struct AvailabilityLog: Sendable, Hashable {
    /// The least part of the requests that has to be made for numbers to mean anything.
    public static let leastSent = 0.98

    /// How the service was asked.
    public let plan: AvailabilityPlan
    /// The requests.
    public let samples: [AvailabilitySample]
    /// When something was done to it.
    public let work: Range<Duration>

    /// A log from its parts.
    public init(plan: AvailabilityPlan, samples: [AvailabilitySample], work: Range<Duration>) {
        self.plan = plan
        self.samples = samples.sorted { $0.number < $1.number }
        self.work = work
    }

    /// What users would have seen.
    public var result: AvailabilityResult {
        let during = samples.filter { work.contains($0.due) }
        let failed = during.filter(hasFailed)
        let times = during.filter(\.isAnswered).map { $0.ended - $0.due }.sorted()
        return AvailabilityResult(
            due: due,
            sent: during.count,
            failed: failed.count,
            givenUp: during.count { $0.outcome == .givenUp },
            failures: Dictionary(failed.map { ($0.failure ?? .timeout, 1) }, uniquingKeysWith: +),
            failedNew: failed.count { $0.connection == .new },
            failedKept: failed.count { $0.connection == .kept },
            longestGapMS: AvailabilityLog.milliseconds(longestGap),
            p50MS: AvailabilityLog.rank(0.5, of: times),
            p99MS: AvailabilityLog.rank(0.99, of: times),
            slowestMS: times.last.map(AvailabilityLog.milliseconds),
            versions: versions,
            inconclusive: doubt(sent: during.count)
        )
    }

    /// How many requests were to be made while it was done.
    private var due: Int { first(from: work.upperBound) - first(from: work.lowerBound) }

    /// The number of the first request that is due at a time or later.
    private func first(from time: Duration) -> Int {
        var number = Int(time / plan.interval)
        // The quotient is rounded, the product is not.
        while plan.interval * number < time { number += 1 }
        while number > 0, plan.interval * (number - 1) >= time { number -= 1 }
        return number
    }

    // A request that gave way would have been answered where all were that waited on beside it; whoever waits as long as a
    // user knows. In doubt it failed.
    func hasFailed(_ sample: AvailabilitySample) -> Bool {
        guard sample.outcome == .givenUp else { return sample.failure != nil }
        let beside = samples.filter {
            $0.outcome != .givenUp && $0.due <= sample.ended && $0.ended >= sample.ended && $0.number != sample.number
        }
        return beside.isEmpty || !beside.allSatisfy(\.isAnswered)
    }
}

// MARK: - Gaps, times and versions

extension AvailabilityLog {
    /// The longest time without an answer, less the usual interval.
    ///
    /// Where nobody answers before or after, the service counts as away from the first request, or to the last.
    public var longestGap: Duration {
        let answers = samples.filter(\.isAnswered).map(\.ended).sorted()
        let start = answers.contains { $0 <= work.lowerBound } ? [] : [samples.first?.due ?? work.lowerBound]
        let isBack = samples.contains { $0.isAnswered && $0.due >= work.upperBound }
        let end = isBack ? [] : [max(work.upperBound, samples.map(\.ended).max() ?? .zero)]
        let times = start + answers + end
        let gaps = zip(times, times.dropFirst()).map { $1 - $0 }
        return max((gaps.max() ?? .zero) - plan.interval, .zero)
    }

    private var versions: [AvailabilityResult.VersionSpan] {
        var spans: [AvailabilityResult.VersionSpan] = []
        for sample in samples.sorted(by: { $0.ended < $1.ended }) {
            guard case .answered(let version?) = sample.outcome else { continue }
            let now = AvailabilityLog.milliseconds(sample.ended - work.lowerBound)
            if let last = spans.last, last.version == version {
                spans[spans.count - 1] = .init(
                    version: version,
                    fromMS: last.fromMS,
                    toMS: now,
                    answers: last.answers + 1
                )
            } else if spans.count < 100 {
                spans.append(.init(version: version, fromMS: now, toMS: now, answers: 1))
            } else {
                break
            }
        }
        return spans
    }

    private static func rank(_ part: Double, of sorted: [Duration]) -> Int? {
        guard !sorted.isEmpty else { return nil }
        let index = Int((part * Double(sorted.count)).rounded(.up)) - 1
        return milliseconds(sorted[min(max(index, 0), sorted.count - 1)])
    }

    private static func milliseconds(_ duration: Duration) -> Int { Int(duration / .milliseconds(1)) }
}

// MARK: - Whether anything follows

extension AvailabilityLog {
    private func doubt(sent: Int) -> String? {
        let least = Int((Double(due) * AvailabilityLog.leastSent).rounded(.up))
        if sent < least {
            return
                "\(sent) of \(due) requests could be made in time, at least \(least) expected; this host was too busy"
        }
        return doubt(of: samples.filter { $0.due < work.lowerBound }, "before")
            ?? doubt(of: samples.filter { $0.due >= work.upperBound }, "after")
    }

    private func doubt(of control: [AvailabilitySample], _ word: String) -> String? {
        if control.isEmpty { return "the service was not watched \(word) it" }
        let answered = control.count(where: \.isAnswered)
        if answered == control.count { return nil }
        return "\(answered) of \(control.count) requests were answered in the time \(word) it, when nothing was done"
    }
}
