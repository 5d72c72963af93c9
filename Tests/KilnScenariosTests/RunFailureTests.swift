import KilnDocuments
import KilnModel
import Testing

@testable import KilnScenarios

@Suite("What counts of several failures, and what a run takes of its host")
struct RunFailureTests {
    private let ordinary = Unmet("an answer expected, none found")
    private let stays = KilnError(.faultNotUndone, "a link stays cut", exit: .halted)

    @Test("lost data is hidden by nothing, nor is a fault that stays by what is ordinary")
    func worst() throws {
        let verdict = LedgerVerdict(acknowledged: 2, lost: 1, torn: 0, duplicated: 0, unacknowledged: 0)
        let loss = DataLoss(verdict)
        #expect(RunFailure.worst([ordinary, nil, stays, loss]) is DataLoss)
        #expect((RunFailure.worst([ordinary, stays]) as? KilnError)?.code == .faultNotUndone)
        #expect((RunFailure.worst([nil, ordinary, Unmet("other")]) as? Unmet)?.description == ordinary.description)
        #expect(RunFailure.worst([nil, nil]) == nil)
    }

    @Test("a line of a guest's is no command for a runner that reads the output")
    func commands() {
        let lines = ReportText.quoted("fine: a::b\n  ::add-mask::a\n::error::b\nx ##[group]y")
        #expect(lines == ["fine: a::b", "│   ::add-mask::a", "│ ::error::b", "x # #[group]y"])
    }

    @Test("machines that are there at once are counted, and what no host has is no overflow")
    func demand() throws {
        let server = "memory: 100MiB\nprocessors: 2\nready: [agent]"
        let one = try read(scenario(server: server, steps: "[up]")).demand { _ in nil }
        #expect(one == RunDemand(memory: ByteCount(bytes: 100 << 20), processors: 2, isAlone: false))
        let steps =
            "[up, { replace: { server: web, rehearse: true } }, { expect: { server: web, failed-requests-at-most: 0 } }]"
        let two = try read(scenario(server: server, steps: steps)).demand { _ in nil }
        #expect(two == RunDemand(memory: ByteCount(bytes: 200 << 20), processors: 4, isAlone: true))
        let timed = "[up, { expect: { server: web, ready-within: 1m } }]"
        #expect(try read(scenario(server: server, steps: timed)).demand { _ in nil }.isAlone)
        let huge = "memory: 8388607TiB\nstrategy: warm-first\nready: [agent]"
        #expect(try read(scenario(server: huge, steps: "[up]")).demand { _ in nil }.memory.bytes > 1 << 62)
    }
}
