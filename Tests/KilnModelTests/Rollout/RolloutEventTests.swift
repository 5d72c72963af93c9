import Foundation
import KilnModel
import Testing

@Suite struct RolloutEventTests {
    private static let failure = RolloutFailure(.rolloutJudged, "worse", ordinal: 1, needsPerson: true)
    private static let move = RolloutMove(.rollBack, 1, after: Generation(4), isWarm: true)

    /// One of each, with the word that it has in a journal.
    private static let all: [(String, RolloutEvent)] = [
        (
            "began",
            .began(
                RolloutPlan(
                    id: 3,
                    spec: RolloutSpec(),
                    target: RolloutStage.target,
                    members: [.init(ordinal: 1, generation: Generation(2), stable: RolloutStage.old)]
                )
            )
        ),
        ("entered", .entered(move, at: .milliseconds(1500))), ("completed", .completed(move, milliseconds: 7)),
        ("replaced", .replaced(1, .reverted)), ("failed", .failed(failure)), ("soaking", .soaking(1, at: .seconds(2))),
        ("soak-broken", .soakBroken(1)), ("settled", .settled(1)),
        ("judged", .judged(RolloutJudgement(.inconclusive, reason: "3 answers"))), ("waiting", .waiting(at: .zero)),
        ("paused", .paused(RolloutPause(at: .seconds(1), lasts: .seconds(60), failure: failure))),
        ("continued", .continued), ("turned-back", .turnedBack(failure, at: .seconds(5))),
        ("promoted", .promoted(isFull: true, at: .seconds(1))), ("retried", .retried(at: .seconds(1))),
        ("aborted", .aborted(at: .seconds(1))), ("undone", .undone(at: .seconds(1))),
        ("resumed", .resumed(at: .seconds(1))), ("ended", .ended(RolloutOutcome(.degraded, new: [2], old: [1, 0]))),
    ]

    @Test("every event survives JSON, under its word")
    func json() throws {
        for (word, event) in Self.all {
            let data = try JSONEncoder().encode(event)
            #expect(try JSONDecoder().decode(RolloutEvent.self, from: data) == event)
            let fields = try JSONDecoder().decode(JSONValue.self, from: data)
            guard case .object(let keys) = fields else { throw KilnError("x", "no object") }
            #expect(keys["event"] == .string(word))
        }
    }

    @Test("journals are written in words that stay")
    func keys() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let entered = String(
            decoding: try encoder.encode(RolloutEvent.entered(Self.move, at: .seconds(1))),
            as: UTF8.self
        )
        #expect(entered.contains(#""move":{"after":4,"isWarm":true,"kind":"roll-back","ordinal":1}"#))
        let ended = String(decoding: try encoder.encode(Self.all[18].1), as: UTF8.self)
        #expect(ended == #"{"event":"ended","outcome":{"kind":"degraded","new":[2],"old":[1,0]}}"#)
    }

    @Test("an event that is not known, or that lacks something, is refused")
    func refused() {
        for text in [#"{"event":"teleported","ordinal":1}"#, #"{"event":"settled"}"#, #"{"ordinal":1}"#, "{}"] {
            #expect(throws: DecodingError.self, "\(text)") {
                try JSONDecoder().decode(RolloutEvent.self, from: Data(text.utf8))
            }
        }
    }

    @Test("a rollout is what its journal tells, after it was written and read")
    func replayed() throws {
        var stage = try RolloutStage.begun(4, RolloutSpec(canaries: 1, soak: .seconds(1)))
        stage.ends[1] = .reverted
        for _ in 0..<20 {
            try stage.go()
            stage.now += .seconds(1)
        }
        let data = try JSONEncoder().encode(stage.events)
        let read = try JSONDecoder().decode([RolloutEvent].self, from: data)
        #expect(RolloutHistory(read) == stage.history)
        #expect(stage.history.latest?.outcome?.kind == .rolledBack)
    }
}
