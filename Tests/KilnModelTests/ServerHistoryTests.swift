import Foundation
import KilnModel
import Testing

@Suite struct ServerHistoryTests {
    private func history(_ events: [JournalEvent]) -> ServerHistory {
        ServerHistory(
            events.enumerated().map {
                JournalRecord(
                    time: Date(timeIntervalSince1970: Double($0.offset)),
                    pid: Int32($0.offset),
                    event: $0.element
                )
            }
        )
    }

    @Test("a server without a journal has no life")
    func empty() {
        let history = history([])
        #expect(history.current == nil)
        #expect(history.open == nil)
        #expect(history.halted == nil)
        #expect(history.highest == 0)
        #expect(history.isWantedOn)
    }

    @Test("the committed generation is the server; an aborted one leaves the old")
    func committed() throws {
        let launched = try [JournalEvent.began(.launch()), .ended(.committed, reason: nil)]
        #expect(history(launched).current == Generation(1))
        let aborted = try launched + [.began(.replacement(2)), .ended(.aborted, reason: "x")]
        #expect(history(aborted).current == Generation(1))
        #expect(history(aborted).highest == 2)
        #expect(history(aborted).open == nil)
        let again = try aborted + [.began(.replacement(3)), .ended(.committed, reason: nil)]
        #expect(history(again).current == Generation(3))
    }

    @Test("an operation is open until it ends, and tells its last record's time and process")
    func open() throws {
        let events = try [JournalEvent.began(.launch()), .entered(.plan), .completed(.plan, milliseconds: 7)]
        let open = try #require(history(events).open)
        #expect(open.replacement.next == .prepare)
        #expect(open.began == Date(timeIntervalSince1970: 0))
        #expect(open.latest == Date(timeIntervalSince1970: 2))
        #expect(open.pid == 2)
        #expect(history(events + [.ended(.committed, reason: nil)]).open == nil)
    }

    @Test("a halted operation is reported until it is taken up again or followed by another")
    func halted() throws {
        let events = try [JournalEvent.began(.replacement(2)), .entered(.handover), .ended(.halted, reason: "x")]
        #expect(history(events).halted?.replacement.reason == "x")
        #expect(history(events).open == nil)
        #expect(history(events + [.resumed]).halted == nil)
        #expect(history(events + [.resumed]).open?.replacement.direction == .revert)
        #expect(try history(events + [.began(.replacement(3))]).halted == nil)
    }

    @Test("the user's wish is the last one said; a replacement wishes the server on")
    func power() throws {
        let launched = try [JournalEvent.began(.launch()), .ended(.committed, reason: nil)]
        #expect(!history(launched + [.power(on: false)]).isWantedOn)
        #expect(history(launched + [.power(on: false), .power(on: true)]).isWantedOn)
        #expect(try history(launched + [.power(on: false), .began(.replacement(2))]).isWantedOn)
        #expect(history(launched + [.power(on: false)]).current == Generation(1))
    }

    @Test(
        "a crash at a start is counted for the generation that served, and a record of an earlier version counts none"
    )
    func crashes() throws {
        let launched = try [JournalEvent.began(.launch()), .ended(.committed, reason: nil)]
        let found = history(launched + [.power(on: true), .power(on: true, restarts: 1)])
        #expect(found.isWantedOn && found.crashes.map(\.generation) == [Generation(1)])
        #expect(found.crashes.map(\.restarts) == [1] && found.operations.count == 1)
        let earlier = Data(#"{"power":{"on":true}}"#.utf8)
        #expect(try JSONDecoder().decode(JournalEvent.self, from: earlier) == .power(on: true))
    }

    @Test("every event survives JSON")
    func json() throws {
        let turn = TurnBack(direction: .revert, step: .proveNewOff, code: "a.b", reason: "c")
        for event in try [
            JournalEvent.began(.launch()), .began(.replacement(2)), .entered(.proveOff),
            .completed(.handBack, milliseconds: 3), .turnedBack(turn), .resumed, .ended(.halted, reason: nil),
            .ended(.reverted, reason: "x"), .power(on: false), .power(on: true, restarts: 1),
        ] {
            #expect(try JSONDecoder().decode(JournalEvent.self, from: JSONEncoder().encode(event)) == event)
        }
    }
}

extension Intent {
    static func launch() throws -> Intent { try make(from: nil, to: 1) }

    static func replacement(_ to: Int, _ strategy: Strategy = .stopFirst) throws -> Intent {
        try make(from: 1, to: to, strategy)
    }

    private static func make(from: Int?, to: Int, _ strategy: Strategy = .stopFirst) throws -> Intent {
        Intent(
            number: to,
            from: from.map { Generation($0) },
            to: Generation(to),
            image: "tiny:\(to)",
            digest: try #require(ImageDigest(String(repeating: "0", count: 64))),
            strategy: strategy
        )
    }
}
