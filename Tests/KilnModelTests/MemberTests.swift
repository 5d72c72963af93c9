import Foundation
import KilnModel
import Testing

@Suite("Members and their machines")
struct MemberTests {
    private let server: ServerID

    init() throws { server = ServerID(lab: try Name("lab"), server: try Name("web")) }

    @Test(
        "what belongs to the first is called and written as the server's own was, what belongs to others has the ordinal"
    )
    func names() throws {
        let (first, second) = (server.member(0), server.member(1))
        #expect(first.description == "lab/web" && second.description == "lab/web.1")
        #expect(first.machine(Generation(3)).domainName == "kiln.lab.web.3")
        #expect(second.machine(Generation(3)).domainName == "kiln.lab.web.1.3")
        #expect(try first.own(Name("data")) == Name("data") && second.own(Name("data")) == Name("data-1"))
        #expect(first.ownName.text == "web" && second.ownName.text == "web-1")
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        #expect(String(decoding: try encoder.encode(first), as: UTF8.self) == #"{"lab":"lab","server":"web"}"#)
        let written = String(decoding: try encoder.encode(second), as: UTF8.self)
        #expect(written == #"{"lab":"lab","ordinal":1,"server":"web"}"#)
        for member in [first, second] {
            #expect(try JSONDecoder().decode(MemberID.self, from: encoder.encode(member)) == member)
            #expect(MachineID(domainName: member.machine(Generation(3)).domainName)?.member == member)
        }
    }

    @Test(
        "a domain that is no machine of a member is nobody's",
        arguments: [
            "kiln.lab.web.0.3", "kiln.lab.web.16.3", "kiln.lab.web.01.3", "kiln.lab.web.1.0", "kiln.lab.web.x.3",
        ]
    )
    func foreign(_ name: String) { #expect(MachineID(domainName: name) == nil) }

    @Test("an ordinal that no member has is refused")
    func ordinal() {
        let text = Data(#"{"lab":"lab","server":"web","ordinal":16}"#.utf8)
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(MemberID.self, from: text) }
    }

    @Test("'${member.index}' stands for the ordinal, and other references stay as they are")
    func reference() {
        let text = MemberReference.replacing(
            in: "id=${member.index} ${member.name} ${servers.db.ports.sql}",
            with: server.member(2)
        )
        #expect(text == "id=2 ${member.name} ${servers.db.ports.sql}")
    }

    @Test("where the volumes of new members come from is read as it is written")
    func sources() throws {
        let all: [FleetSpec.VolumeSource] = [
            .clone(ordinal: nil), .clone(ordinal: 2), .snapshot(try Name("seeded")), .empty,
        ]
        for source in all { #expect(FleetSpec.VolumeSource(source.text) == source) }
        for text in ["", "clone x", "clone 1 2", "snapshot", "snapshot A", "empty 1"] {
            #expect(FleetSpec.VolumeSource(text) == nil, "\(text)")
        }
    }
}

@Suite("Who is sent requests by a front of several members")
struct FrontPlanTests {
    private func plan(_ ports: [String: UInt16], _ slots: [FrontPlan.Slot]) throws -> FrontPlan {
        FrontPlan(
            spec: FrontSpec(),
            ports: try ports.sorted { $0.key < $1.key }.map {
                FrontPlan.Port(name: try Name($0.key), host: $0.value, isHTTP: true)
            },
            slots: slots
        )
    }

    @Test("a port that only others still serve stays published until they follow")
    func ports() throws {
        let (http, old) = (try Name("http"), try Name("old"))
        let first = FrontPlan.Slot(ordinal: 0, generation: Generation(1), ports: [http: 1, old: 2], standing: .serving)
        let second = FrontPlan.Slot(ordinal: 1, generation: Generation(2), ports: [http: 3], standing: .serving)
        var plan = try plan(["http": 80, "old": 81], [first, second])
        let wanted = try self.plan(["http": 80], [])
        plan.publish(as: wanted, by: 1)
        #expect(plan.ports.map(\.host) == [80, 81])
        plan.publish(as: wanted, by: 0)
        #expect(plan.ports.map(\.host) == [80])
    }

    @Test("room for members grows by many, and a slot that a plan lacks was never anybody's")
    func room() throws {
        #expect([0, 7, 8, 15].map(FrontPlan.room) == [8, 8, 16, 16])
        var plan = try plan(["http": 80], [FrontPlan.Slot(ordinal: 0, generation: Generation(1), standing: .serving)])
        plan.makeRoom(for: try self.plan(["http": 80], (0..<3).map { FrontPlan.Slot(ordinal: $0) }))
        #expect(
            plan.slots.map(\.ordinal) == [0, 1, 2] && plan[0].generation == Generation(1) && plan[9].standing == .out
        )
    }
}

@Suite("The judge of a rollout")
struct RolloutVerdictTests {
    private func judgement(new: [(Bool, Int)], old: [(Bool, Int)]) -> RolloutJudgement {
        var judge = RolloutJudge(RolloutJudgeSpec(requests: 10))
        for (good, time) in new { judge.hear(FrontAnswer(ordinal: 2, isGood: good, milliseconds: time), isNew: true) }
        for (good, time) in old { judge.hear(FrontAnswer(ordinal: 0, isGood: good, milliseconds: time), isNew: false) }
        return judge.judgement
    }

    private func answers(_ count: Int, bad: Int = 0, _ time: Int = 20) -> [(Bool, Int)] {
        (0..<count).map { ($0 >= bad, time) }
    }

    @Test("members that are no worse pass, those that fail more or take longer do not")
    func verdicts() {
        #expect(judgement(new: answers(100), old: answers(100)).verdict == .successful)
        #expect(judgement(new: answers(100, bad: 2), old: answers(100)).verdict == .failed)
        #expect(judgement(new: answers(100, bad: 2), old: answers(100, bad: 1)).verdict == .successful)
        #expect(judgement(new: answers(100, 41), old: answers(100)).verdict == .failed)
        #expect(judgement(new: answers(100, 40), old: answers(100)).verdict == .successful)
    }

    @Test("a few milliseconds are the host's, and too few answers tell nothing")
    func limits() {
        #expect(judgement(new: answers(100, 5), old: answers(100, 1)).verdict == .successful)
        #expect(judgement(new: answers(9), old: answers(100)).verdict == .inconclusive)
        #expect(judgement(new: answers(9), old: answers(100)).reason.contains("9 answers of new members"))
    }
}
