import Foundation
import KilnEngine
import KilnModel
import KilnTestSupport
import Synchronization
import Testing

@testable import KilnScenarios

@Suite("A run's seed, the stop at its first failure, and how long it will take")
struct RunConditionsTests {
    private let world: FakeWorld

    init() throws {
        world = try FakeWorld()
        try world.images.add("1")
    }

    private func run(
        _ steps: [String],
        seed: RunSeed = .fresh(),
        more: String = "",
        pause: FailurePause? = nil,
        sink: @escaping RunSink = { _ in }
    ) async throws -> ScenarioReport {
        let text =
            scenario(
                server: "ready: [agent]\nready-timeout: 100s",
                steps: "\n" + steps.map { "  - \($0)" }.joined(separator: "\n") + "\n" + more
            ).replacing("image: tiny", with: "image: 'tiny:1'")
        let options = ScenarioRunner.Options(version: "0", pause: pause, conditions: RunConditions(seed: seed))
        return try await world.run(text, options: options, sink: sink)
    }

    @Test(
        "a seed stands in the report and in what is written down at the run's beginning, also of a run that is killed"
    )
    func told() async throws {
        let report = try await run(["up"], seed: RunSeed(4_000_000_000))
        #expect(report.seed == RunSeed(4_000_000_000) && report.timeoutScale == 1)
        let files = RunLogFiles(folder: world.engine.reports)
        let path = files.path(of: report.lab)
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        try Data(lines.prefix(3).joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: path))
        let history = try #require(try files.history(of: report.lab, isGoingOn: false))
        #expect(history.end == .interrupted && history.report.seed == report.seed)
        #expect(try await run(["up"]).seed != nil)
    }

    @Test("the same seed makes the same transfers, whichever connection makes them, and another makes others")
    func transfers() throws {
        let http = try Name("http")
        let words = try #require(SQLName("shop"))
        let table = LedgerTable(port: http, login: SQLLogin(database: words, user: words))
        let plan = BankPlan(name: http, server: http, table: table)
        func list(_ seed: UInt32) -> [BankTransfer] {
            let transfers = BankTransfers(of: plan, RunSeed(seed))
            return (0..<20).map { _ in transfers.next() }
        }
        #expect(list(1) == list(1) && list(1) != list(2))
        #expect(list(1).map(\.number) == Array(1...20))
    }

    @Test("the first step that failed is told while its machine is up, before its own end and the run's")
    func pauses() async throws {
        let told = Mutex<[String]>([])
        let alive = Mutex<[Int]>([])
        let world = world
        let pause: FailurePause = { failed in
            told.withLock { $0.append("\(failed.id) \(failed.lab) \(failed.servers.map(\.text)) \(failed.reason)") }
            alive.withLock { $0.append(world.hypervisor.alive.count) }
        }
        let steps = [
            "up", "exec: { server: web, command: ['false'] }\n    expect-failure: true",
            "retry: { times: 2, every: 1ms, steps: [{ exec: { server: web, command: ['false'] } }] }\n    finally: [down]",
        ]
        let report = try await run(
            steps,
            more: "finally: [{ note: end }]",
            pause: pause
        )
        let found = told.withLock { $0 }
        #expect(found.count == 1 && found.first?.hasPrefix("3 \(report.lab) [\"web\"] ") == true, "\(found)")
        #expect(alive.withLock { $0 } == [1] && report.outcome == .failed)
        #expect(world.hypervisor.alive.isEmpty)
    }

    @Test("nothing stops a run that passes, or one that somebody interrupts")
    func passesBy() async throws {
        let count = Mutex(0)
        let pause: FailurePause = { _ in count.withLock { $0 += 1 } }
        #expect(try await run(["up"], pause: pause).outcome == .passed)
        let sink: RunSink = { event in
            if case .stepBegan(_, "note", _, _) = event.kind { withUnsafeCurrentTask { $0?.cancel() } }
        }
        let task = Task {
            try await run(
                ["up", "{ note: a }"],
                more: "finally: [{ rollback: { server: web, to: 7 } }]",
                pause: pause,
                sink: sink
            )
        }
        #expect(try await task.value.outcome != .passed)
        #expect(count.withLock { $0 } == 0)
    }

    @Test("how long steps took is known of the same scenario only, and of steps that passed")
    func times() async throws {
        let file = try read(scenario(server: "ready: [agent]", steps: "[up]"))
        let files = RunLogFiles(folder: world.engine.reports)
        #expect(files.stepTimes(of: file) == StepTimes())
        let report = try await run(["up", "sleep: 20ms", "exec: { server: web, command: ['false'] }"])
        let times = files.stepTimes(of: file)
        #expect(times.time(of: StepID([2]), report.steps[1].name).map { $0 >= .milliseconds(20) } == true)
        #expect(times.time(of: StepID([3]), report.steps[2].name) == nil)
        #expect(times.time(of: StepID([1]), report.steps[1].name) == nil)
        let other = try read(
            scenario(server: "ready: [agent]", steps: "[up]").replacing("name: test", with: "name: tests")
        )
        #expect(files.stepTimes(of: other) == StepTimes())
    }

    @Test("a step can be expected to take as long as half of the runs took")
    func median() throws {
        func report(_ ms: Int) throws -> ScenarioReport {
            let inner = ReportFixture.step([1, 1], "inner", .passed, 0, ms)
            return try ReportFixture.report(steps: [ReportFixture.step([1], "outer", children: [inner])])
        }
        let times = StepTimes(try [10, 5_000, 30].map(report))
        #expect(times.time(of: StepID([1, 1]), "inner") == .milliseconds(30))
    }
}
