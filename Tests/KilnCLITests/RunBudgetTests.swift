import KilnModel
import KilnScenarios
import Testing

@testable import KilnCLI

@Suite("What runs may take of the host together")
struct RunBudgetTests {
    private let budget = RunBudget(memory: 1 << 30, processors: 4)

    private func demand(_ mebibytes: UInt64, _ processors: Int = 1, isAlone: Bool = false) -> RunDemand {
        RunDemand(memory: ByteCount(bytes: mebibytes << 20), processors: processors, isAlone: isAlone)
    }

    @Test("a run begins beside others while both memory and processors are left")
    func room() {
        #expect(budget.hasRoom(for: demand(512), beside: [demand(512)]))
        #expect(!budget.hasRoom(for: demand(513), beside: [demand(512)]))
        #expect(budget.hasRoom(for: demand(1, 2), beside: [demand(1), demand(1)]))
        #expect(!budget.hasRoom(for: demand(1, 3), beside: [demand(1), demand(1)]))
    }

    @Test("one that is too large for the host runs by itself")
    func large() {
        #expect(budget.hasRoom(for: demand(4096, 64), beside: []))
        #expect(!budget.hasRoom(for: demand(1), beside: [demand(4096, 64)]))
    }

    @Test("nothing runs beside one that judges how long users waited")
    func alone() {
        #expect(!budget.hasRoom(for: demand(1, isAlone: true), beside: [demand(1)]))
        #expect(!budget.hasRoom(for: demand(1), beside: [demand(1, isAlone: true)]))
        #expect(budget.hasRoom(for: demand(1, isAlone: true), beside: []))
    }

    @Test("runs that were not begun though none failed were interrupted")
    func interrupted() {
        #expect(RunResults(reports: [], left: 2, isColored: false).exit == .interrupted)
        #expect(RunResults(reports: [], left: 0, isColored: false).exit == .done)
    }

    @Test("the host's own is something")
    func host() { #expect(RunBudget.ofHost.memory > 1 << 20 && RunBudget.ofHost.processors >= 2) }
}
