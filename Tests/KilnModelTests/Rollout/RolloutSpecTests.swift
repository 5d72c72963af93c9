import Foundation
import KilnModel
import Testing

@Suite struct RolloutSpecTests {
    private func fields(_ spec: RolloutSpec, replicas: Int = 3) -> [String] {
        spec.problems(replicas: replicas).map(\.field)
    }

    @Test("a spec without anything is one that works for any number of members", arguments: [1, 3])
    func usual(_ replicas: Int) throws {
        #expect(fields(RolloutSpec(), replicas: replicas) == [])
        #expect(try JSONDecoder().decode(RolloutSpec.self, from: Data("{}".utf8)) == RolloutSpec())
        let judge = try JSONDecoder().decode(RolloutJudgeSpec.self, from: Data("{}".utf8))
        #expect(judge == RolloutJudgeSpec(requests: 50, moreErrors: 1, timesSlower: 2))
    }

    @Test("all problems of a spec are told at once")
    func problems() {
        #expect(fields(RolloutSpec(maxUnavailable: 0)) == ["max-unavailable"])
        #expect(fields(RolloutSpec(maxUnavailable: 0, maxSurge: 1)) == [])
        #expect(fields(RolloutSpec(maxUnavailable: -1, maxSurge: -1)) == ["max-unavailable", "max-surge"])
        #expect(fields(RolloutSpec(canaries: 4)) == ["canaries"])
        #expect(fields(RolloutSpec(partition: 1, canaries: 3)) == ["canaries"])
        #expect(fields(RolloutSpec(partition: 3)) == ["partition"])
        #expect(fields(RolloutSpec(pause: .untilPromoted)) == ["pause"])
        let judge = RolloutJudgeSpec(requests: 0, moreErrors: .nan, timesSlower: 0.5)
        let all = RolloutSpec(
            partition: -1,
            canaries: -1,
            pause: .lasting(.zero),
            soak: .seconds(-1),
            progressDeadline: .zero,
            judge: judge
        )
        #expect(
            fields(all, replicas: 1) == [
                "partition", "canaries", "pause", "soak", "progress-deadline", "pause", "judge", "judge.requests",
                "judge.more-errors", "judge.times-slower",
            ]
        )
    }

    @Test("a spec survives JSON", arguments: [RolloutSpec.Pause.none, .lasting(.milliseconds(1500)), .untilPromoted])
    func json(_ pause: RolloutSpec.Pause) throws {
        let spec = RolloutSpec(
            maxUnavailable: 2,
            maxSurge: 1,
            partition: 1,
            canaries: 1,
            pause: pause,
            soak: .seconds(3),
            progressDeadline: .seconds(9),
            onFailure: .pause,
            judge: RolloutJudgeSpec(requests: 7, moreErrors: 2.5, timesSlower: 3)
        )
        #expect(try JSONDecoder().decode(RolloutSpec.self, from: JSONEncoder().encode(spec)) == spec)
    }

    @Test("a pause until something unknown is refused")
    func unknownPause() {
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(RolloutSpec.Pause.self, from: Data(#"{"until":"full-moon"}"#.utf8))
        }
    }
}
