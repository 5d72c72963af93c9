import Foundation
import KilnEngine
import KilnModel
import KilnTestSupport
import Synchronization
import Testing

@testable import KilnScenarios

@Suite("Steps that hold steps, and what stands beside a step, on fakes")
struct ControlStepTests {
    private let world: FakeWorld

    init() throws {
        world = try FakeWorld()
        for version in ["1", "2"] { try world.images.add(version) }
    }

    private func run(_ steps: [String], more: String = "", sink: @escaping RunSink = { _ in }) async throws
        -> ScenarioReport
    {
        let server = """
            volumes: { data: /data }
            ports: { http: 80 }
            ready: [agent, cloud-init]
            ready-timeout: 100s
            """
        let list = "\n" + steps.map { "  - \($0)" }.joined(separator: "\n") + "\n\(more)"
        let text = scenario(server: server, steps: list).replacing("image: tiny", with: "image: 'tiny:1'")
        return try await world.run(text, sink: sink)
    }

    /// Every result as its id, kind and outcome, those that a step holds after it.
    private func tree(_ results: [StepResult]) -> [String] {
        results.flatMap { ["\($0.id) \($0.kind) \($0.outcome.rawValue)"] + tree($0.children) }
    }

    @Test("results are a tree with ids, places and times in order")
    func results() async throws {
        let report = try await run(
            [
                "up", "repeat: { times: 2, steps: [{ note: a }, { parallel: [{ note: b }, { note: c }] }] }",
                "{ use: said, name: what was said }",
            ],
            more: "steps-named: { said: [{ note: d }] }"
        )
        #expect(report.outcome == .passed, "\(report)")
        #expect(
            tree(report.steps) == [
                "1 up passed", "2 repeat passed", "2.1 round passed", "2.1.1 note passed", "2.1.2 parallel passed",
                "2.1.2.1 note passed", "2.1.2.2 note passed", "2.2 round passed", "2.2.1 note passed",
                "2.2.2 parallel passed", "2.2.2.1 note passed", "2.2.2.2 note passed", "3 use passed",
                "3.1 note passed",
            ]
        )
        #expect(report.steps.map(\.name) == ["up web", "repeat 2 times", "what was said"])
        #expect(report.steps[2].children.first?.place.path == "steps-named.said[0]")
        for (before, after) in zip(report.steps, report.steps.dropFirst()) {
            #expect(before.beginMS <= before.endMS && before.endMS <= after.beginMS)
        }
        #expect(report.steps[2].children.first?.detail == "d")
    }

    @Test("the sinks are told of everything once, in order, and each as a line of JSON")
    func events() async throws {
        let told = Mutex<[(Int, String)]>([])
        let report = try await run(["up", "repeat: { times: 1, steps: [{ note: a }] }"]) { event in
            let text = (try? JSONEncoder().encode(event)).map { String(decoding: $0, as: UTF8.self) } ?? "none"
            told.withLock { $0.append((event.number, text)) }
        }
        let all = told.withLock { $0 }
        #expect(all.map(\.0) == Array(1...all.count))
        let words = try all.map { try JSONDecoder().decode(JSONValue.self, from: Data($0.1.utf8)) }
            .filter { $0["event"] != "progress" }.map { "\($0["event"]?.string ?? "") \($0["id"]?.string ?? "")" }
        #expect(
            words == [
                "run-began ", "step-began 1", "step-ended 1", "step-began 2", "step-began 2.1", "step-began 2.1.1",
                "step-ended 2.1.1", "step-ended 2.1", "step-ended 2", "run-ended ",
            ]
        )
        #expect(all.contains { $0.1.contains(#""event":"progress""#) })
        #expect(all.last?.1.contains(report.lab.text) == true)
    }

    @Test("a step that fails ends what holds it, the rest is passed over, and a parallel waits for all")
    func failure() async throws {
        let report = try await run(
            [
                "up",
                "parallel: [{ exec: { server: web, command: ['false'] } }, { use: slow }]",
                "{ note: never }",
            ],
            more: "steps-named: { slow: [{ sleep: 100ms }, { note: done }] }"
        )
        #expect(report.exit == .unmet)
        #expect(
            tree(report.steps) == [
                "1 up passed", "2 parallel failed", "2.1 exec failed", "2.2 use passed", "2.2.1 sleep passed",
                "2.2.2 note passed", "3 note skipped",
            ]
        )
    }

    @Test("a step is tried until it passes, as a kind and beside another one, and no more often than was said")
    func retry() async throws {
        let count = Mutex(0)
        world.guests.answer("flaky") { _ in
            let number = count.withLock { count in
                count += 1
                return count
            }
            return number % 3 == 0 ? 0 : 1
        }
        let flaky = "exec: { server: web, command: [flaky] }"
        let report = try await run([
            "up", "retry: { times: 3, every: 1ms, steps: [{ \(flaky) }] }",
            "{ \(flaky), retry: { times: 3, every: 1ms } }",
            "{ \(flaky), retry: { times: 2, every: 1ms } }",
        ])
        #expect(report.exit == .unmet && count.withLock { $0 } == 8)
        #expect(
            tree(report.steps) == [
                "1 up passed", "2 retry passed", "2.1 attempt failed", "2.1.1 exec failed", "2.2 attempt failed",
                "2.2.1 exec failed", "2.3 attempt passed", "2.3.1 exec passed", "3 exec passed", "4 exec failed",
            ]
        )
        #expect(report.steps[1].detail == "passed at attempt 3" && report.steps[2].detail == "passed at attempt 3")
    }

    @Test(
        "what does not end in time is unmet, by its deadline",
        arguments: ["within: { time: 50ms, steps: [{ sleep: 1h }] }", "{ sleep: 1h, timeout: 50ms }"]
    )
    func deadline(step: String) async throws {
        let report = try await run(["up", step, "{ note: never }"])
        #expect(report.exit == .deadline && report.outcome == .failed)
        #expect(report.steps.map(\.outcome) == [.passed, .failed, .skipped])
        #expect(report.steps[1].detail?.contains("an end within 50 ms expected") == true, "\(report.steps[1])")
        #expect(world.hypervisor.alive.isEmpty)
    }

    @Test(
        "a step that has to fail passes where it fails as was said, and fails otherwise",
        arguments: [
            ("{ exec: { server: web, command: ['false'] }, expect-failure: true }", StepOutcome.passed),
            ("{ exec: { server: web, command: ['false'] }, expect-failure: 'exit status 0 expected' }", .passed),
            ("{ exec: { server: web, command: ['false'] }, expect-failure: 'other words' }", .failed),
            ("{ exec: { server: web, command: ['true'] }, expect-failure: true }", .failed),
        ]
    )
    func expectFailure(step: String, outcome: StepOutcome) async throws {
        let report = try await run(["up", step])
        #expect(report.steps[1].outcome == outcome, "\(report.steps[1])")
        #expect(report.outcome == outcome)
    }

    @Test("what was saved stands in later texts as it is, and decides whether a step is done")
    func saved() async throws {
        world.guests.reply { arguments, _ in
            arguments.first == "say"
                ? GuestCommandResult(status: 0, output: Array("${saved.id} $(x)\n\n".utf8), errors: []) : nil
        }
        let report = try await run([
            "up", "{ exec: { server: web, command: [say] }, save: { id: stdout, code: status } }",
            "{ exec: { server: web, command: [echo, '<${saved.id}>'], contains: 'echo <${saved.id}>' } }",
            "{ note: done, when: { value: '${saved.code}', is: 0 } }",
            "{ note: not done, when: { value: '${saved.code}', not: 0 } }",
        ])
        #expect(report.outcome == .passed, "\(report.steps)")
        #expect(world.guests.commands(of: "echo").map(\.line) == ["echo <${saved.id} $(x)>"])
        #expect(report.steps.map(\.outcome) == [.passed, .passed, .passed, .passed, .skipped])
    }

    @Test("what is too long to be saved is refused by its name")
    func tooLong() async throws {
        world.guests.reply { arguments, _ in
            guard arguments.first == "say" else { return nil }
            return GuestCommandResult(status: 0, output: [UInt8](repeating: 0x61, count: 70_000), errors: [])
        }
        let report = try await run(["up", "{ exec: { server: web, command: [say] }, save: { id: stdout } }"])
        #expect(report.steps[1].detail == "'id' can't be saved: at most 64 KiB expected, 70000 bytes found")
    }

    @Test("what a guest says is made safe to print, and a NUL can't be saved")
    func hostile() async throws {
        let said = Mutex<[UInt8]>([])
        world.guests.reply { arguments, _ in
            guard arguments.first == "say" else { return nil }
            return GuestCommandResult(status: 0, output: said.withLock { $0 }, errors: [])
        }
        let steps = [
            "up", "{ exec: { server: web, command: [say] }, save: { id: stdout } }", "{ note: '${saved.id}' }",
            "{ exec: { server: web, command: [say], contains: none } }",
        ]
        said.withLock { $0 = Array("a\u{1b}[31mb\u{202e}".utf8) + [0xff] }
        let report = try await run(steps)
        let told = report.steps.compactMap(\.detail).joined()
        #expect(told.contains("[31mb") && report.steps.count == 4)
        #expect(!told.unicodeScalars.contains { ["\u{1b}", "\u{202e}"].contains($0) }, "\(told)")
        said.withLock { $0 = [0x61, 0, 0x62] }
        #expect(try await run(steps).steps[1].detail == "'id' can't be saved: it holds a NUL")
    }

    @Test("what is done at the end is done after a failure, too, all of it, and its own failure counts")
    func finally() async throws {
        let report = try await run(
            [
                "up",
                "{ exec: { server: web, command: ['false'] }, finally: [{ exec: { server: web, command: ['false', a] } }, { note: b }] }",
                "{ note: never }",
            ],
            more: "finally: [{ exec: { server: web, command: ['false', c] } }, { note: d }]"
        )
        #expect(report.error?.message.contains("exit status 0 expected") == true)
        #expect(
            tree(report.steps) == [
                "1 up passed", "2 exec failed", "2.1 exec failed", "2.2 note passed", "3 note skipped",
            ]
        )
        #expect(tree(report.finally) == ["4 exec failed", "5 note passed"])
        let late = try await run(["up"], more: "finally: [{ exec: { server: web, command: ['false'] } }]")
        #expect(
            late.exit == .unmet && late.steps.map(\.outcome) == [.passed] && late.finally.map(\.outcome) == [.failed]
        )
    }

    @Test("an interrupted run still does what is done at its end")
    func interrupted() async throws {
        let report = await Task {
            try await run(["up", "{ sleep: 1h }"], more: "finally: [{ exec: { server: web, command: [tidy] } }]") {
                event in
                if case .stepBegan(_, "sleep", _, _) = event.kind { withUnsafeCurrentTask { $0?.cancel() } }
            }
        }.result
        #expect(try report.get().exit == .interrupted && report.get().finally.map(\.outcome) == [.passed])
        #expect(world.guests.commands(of: "tidy").count == 1)
        #expect(world.hypervisor.alive.isEmpty)
    }

    @Test("files go in and come out, and a file that is kept lies where the report says")
    func copies() async throws {
        let report = try await run([
            "up", "{ copy-in: { server: web, to: /a, content: hello } }",
            "{ copy-out: { server: web, from: /a, as: a.txt }, save: { was: content, sum: sha256 } }",
            "{ note: '${saved.was} ${saved.sum}' }",
            "{ copy-out: { server: web, from: /none }, expect-failure: none found }",
        ])
        #expect(report.outcome == .passed, "\(report.steps)")
        let hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
        #expect(report.steps[3].detail == "hello \(hello)")
        let folder = try #require(report.files)
        #expect(try String(contentsOfFile: folder + "/a.txt", encoding: .utf8) == "hello")
    }

    @Test("volumes are snapshotted, restored, cloned and checked, and nothing of them is left of a run that passed")
    func volumes() async throws {
        let report = try await run([
            "up", "{ snapshot: { volume: data, name: before } }", "{ clone: { volume: data, as: copy } }",
            "{ stop: all }",
            "{ check: { volume: data } }", "{ restore: { volume: data, to: before } }", "{ start: all }",
            "{ wait: [web] }",
        ])
        #expect(report.outcome == .passed, "\(report.steps)")
        #expect(try world.engine.volumes.names(of: report.lab).isEmpty && world.engine.volumes.retained().isEmpty)
    }

    @Test("a clone may be a volume that the lab declares, before its server is up and not after")
    func replica() async throws {
        func text(_ steps: String) -> String {
            """
            kiln: 1
            name: test
            lab:
              volumes: { data: { size: 64MiB }, copy: { size: 64MiB } }
              servers:
                first: { image: 'tiny:1', volumes: { data: /data }, ready: [agent], ready-timeout: 100s }
                replica: { image: 'tiny:1', volumes: { copy: /data }, ready: [agent], ready-timeout: 100s }
            steps: \(steps)
            """
        }
        let clone = "{ clone: { volume: data, as: copy } }"
        let late = try problems(text("[up, \(clone)]"))
        #expect(late.count == 1 && late[0].contains("was made with the server 'replica'"), "\(late)")
        let report = try await world.run(text("[{ up: [first] }, \(clone), { up: [replica] }]"))
        #expect(report.outcome == .passed, "\(report.steps)")
    }

    @Test("what a server is checked for is told with what was expected and found")
    func checks() async throws {
        let held = try await run(["up", "{ expect: { server: web, checks: [agent, { exec: ['true'] }] } }"])
        #expect(held.outcome == .passed, "\(held.steps)")
        let failed = try await run(["up", "{ expect: { server: web, checks: [{ exec: ['false'] }, agent] } }"])
        #expect(failed.steps[1].detail?.contains("exit status 0 expected") == true, "\(failed.steps[1])")
    }
}

/// How a step ended.
typealias StepOutcome = ScenarioReport.Outcome
