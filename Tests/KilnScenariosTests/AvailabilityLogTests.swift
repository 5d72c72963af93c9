import KilnEngine
import KilnModel
import KilnScenarios
import Testing

@Suite("What users of a service would have seen")
struct AvailabilityLogTests {
    private let plan: AvailabilityPlan

    init() throws { plan = AvailabilityPlan(HTTPProbe(port: try Name("http"), path: "/"), port: 1) }

    private func ms(_ milliseconds: Int) -> Duration { .milliseconds(milliseconds) }

    /// A second before, two of work, and a second after, of which `change` says what came of each request.
    private func log(
        _ change: (Int) -> (outcome: AvailabilitySample.Outcome, took: Int)? = { _ in (.answered(version: nil), 5) }
    ) -> AvailabilityLog {
        let samples = (0..<80).compactMap { number in
            change(number).map { outcome, took in
                AvailabilitySample(
                    number: number,
                    connection: number.isMultiple(of: 2) ? .new : .kept,
                    due: ms(50 * number),
                    ended: ms(50 * number + took),
                    outcome: outcome
                )
            }
        }
        return AvailabilityLog(plan: plan, samples: samples, work: ms(1000)..<ms(3000))
    }

    @Test("where all is answered nothing failed, there is no gap, and something follows from it")
    func clean() {
        let result = log().result
        #expect(result.due == 40 && result.sent == 40 && result.failed == 0 && result.givenUp == 0)
        #expect(result.longestGapMS == 0 && result.inconclusive == nil)
        #expect(result.p50MS == 5 && result.p99MS == 5 && result.slowestMS == 5)
    }

    @Test("failures are counted by kind and by connection, and only while something is done")
    func failures() {
        let result = log { number in
            switch number {
            case 30: (.failed(.refused), 1)
            case 31: (.failed(.unexpected), 1)
            case 32: (.failed(.refused), 1)
            default: (.answered(version: nil), 5)
            }
        }.result
        #expect(result.failed == 3 && result.failures == [.refused: 2, .unexpected: 1])
        #expect(result.failedNew == 2 && result.failedKept == 1)
        #expect(result.longestGapMS == 150)
        #expect(result.inconclusive == nil)
    }

    @Test("a slow answer is no failure, and it is told how slow")
    func slow() {
        let result = log { $0 == 40 ? (.answered(version: nil), 900) : (.answered(version: nil), 5) }.result
        #expect(result.failed == 0 && result.longestGapMS == 50)
        #expect(result.p50MS == 5 && result.p99MS == 900 && result.slowestMS == 900)
    }

    @Test(
        "nothing follows where this host could not make 98 of 100 requests",
        arguments: [(0, true), (1, false), (4, false)]
    )
    func sent(missing: Int, isConclusive: Bool) {
        let result = log { (30..<30 + missing).contains($0) ? nil : (.answered(version: nil), 5) }.result
        #expect(result.sent == 40 - missing && result.failed == 0)
        #expect((result.inconclusive == nil) == isConclusive)
    }

    @Test(
        "nothing follows where the service failed when nothing was done to it",
        arguments: [(7, "before"), (70, "after")]
    )
    func control(number: Int, word: String) {
        let result = log { $0 == number ? (.failed(.timeout), 2000) : (.answered(version: nil), 5) }.result
        #expect(result.failed == 0)
        #expect(result.inconclusive?.contains("in the time \(word) it") == true)
    }

    @Test("who is not watched before or after is not judged")
    func unwatched() {
        let log = log()
        let short = AvailabilityLog(plan: plan, samples: log.samples, work: .zero..<ms(3000))
        #expect(short.result.inconclusive?.contains("not watched before") == true)
    }

    @Test("a service that never answers is away all the time")
    func never() {
        let result = log { _ in (.failed(.refused), 1) }.result
        #expect(result.failed == 40 && result.longestGapMS == 3901 && result.p50MS == nil)
    }

    @Test("a request that gave way failed where one that waited beside it did, and did not where all were answered")
    func gaveWay() {
        let held = { (end: AvailabilitySample.Outcome) -> AvailabilityResult in
            self.log { number in
                switch number {
                case 30..<34: (end, 1200)
                case 34..<46: (.givenUp, 200)
                default: (.answered(version: nil), 5)
                }
            }.result
        }
        let answered = held(.answered(version: nil))
        #expect(answered.failed == 0 && answered.givenUp == 12 && answered.inconclusive == nil)
        let failed = held(.failed(.timeout))
        #expect(failed.failed == 16 && failed.failures == [.timeout: 16])
    }

    @Test("which version answered when, also where the old one answers again")
    func versions() {
        let versions = log { number in
            (.answered(version: (40..<60).contains(number) && number != 45 ? "2" : "1"), 10)
        }.result.versions
        #expect(versions.map(\.version) == ["1", "2", "1", "2", "1"])
        #expect(versions.map(\.answers) == [40, 5, 1, 14, 20])
        #expect(versions.first?.fromMS == -990 && versions[1].fromMS == 1010)
    }

    @Test("what an answer calls its version is one short line, whatever it sends")
    func hostileVersion() {
        let by = { (place: AvailabilityPlan.VersionPlace) in
            AvailabilityPlan(self.plan.request, port: 1, version: place)
        }
        let answer = HTTPAnswer(
            status: 200,
            headers: ["x-version": "2\u{1b}[31m\u{202e}"],
            body: Array("\n\n7\r\n".utf8) + [UInt8](repeating: 0xff, count: 100_000)
        )
        let header = AvailabilitySample.Outcome(.success(answer), for: by(.header("x-version")))
        #expect(header == .answered(version: "2\u{fffd}[31m\u{fffd}"))
        #expect(AvailabilitySample.Outcome(.success(answer), for: by(.header("x-none"))) == .answered(version: nil))
        guard case .answered(let version?) = AvailabilitySample.Outcome(.success(answer), for: by(.body)) else {
            Issue.record("no version")
            return
        }
        #expect(version.count <= 64 && !version.contains("\n"))
    }

    @Test("an expectation is met, or it is told by what it is not; in doubt it is not met")
    func expectations() {
        let failing = log { $0 == 30 ? (.failed(.refused), 1) : (.answered(version: nil), 5) }.result
        #expect(AvailabilityExpectation(failedAtMost: 1, gapAtMost: ms(50)).unmet(by: failing) == nil)
        let failed = AvailabilityExpectation(failedAtMost: 0).unmet(by: failing)
        #expect(failed?.hasSuffix("1 of 40 found: 1 refused") == true, "\(failed ?? "")")
        #expect(AvailabilityExpectation(gapAtMost: ms(49)).unmet(by: failing)?.contains("50 ms found") == true)
        let doubtful = log { $0 == 7 ? (.failed(.refused), 1) : (.answered(version: nil), 5) }.result
        #expect(AvailabilityExpectation(failedAtMost: 9).unmet(by: doubtful)?.contains("conclusive") == true)
    }

    @Test("a plan keeps to its limits, and waits as long as the probe says")
    func plans() {
        #expect(plan.rate == 20 && plan.interval == ms(50) && plan.patience == .seconds(2))
        #expect(AvailabilityPlan(plan.request, port: 1, rate: 1000).rate == 100)
        #expect(AvailabilityPlan(plan.request, port: 1, rate: 0).rate == 1)
        #expect(AvailabilityPlan(plan.request, port: 1, timeout: .seconds(10)).patience == .seconds(10))
        let held = AvailabilityPlan(plan.request, port: 1, hold: .seconds(30))
        #expect(held.patience == .seconds(32) && held.mostUnderWay == AvailabilityPlan.mostHeld)
    }
}
