import ArgumentParser
import Foundation
import KilnEngine
import KilnModel
import KilnScenarios
import KilnTestSupport
import Testing

@testable import KilnCLI

@Suite("kiln run and kiln scenario, on a fake world")
struct RunVerbTests {
    private let session: WorldSession

    init() throws { session = try WorldSession() }

    private func write(_ name: String, steps: String = "[up]", more: String = "") throws -> String {
        let path = "\(session.world.root)/\(name).yaml"
        let text = """
            kiln: 1
            name: \(name)
            \(more)
            lab: { servers: { web: { image: "tiny:1", ready: [agent, cloud-init], ready-timeout: 100s } } }
            steps: \(steps)

            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    @Test("one scenario's report is what is shown, as before")
    func one() async throws {
        let ending = try await session.kiln("run", try write("one"), "--format", "json", "--quiet")
        #expect(ending.status == 0)
        let report = try ending.json(ScenarioReport.self)
        #expect(report.scenario.text == "one" && report.steps.map(\.name) == ["up web"])
        #expect(ending.output.contains("\"unavailable_ms\" : null"))
    }

    @Test("several have a report each, in their order, and what went wrong decides the status")
    func several() async throws {
        let bad = try write("bad", steps: "[up, { exec: { server: web, command: ['false'] } }]")
        let ending = try await session.kiln("run", bad, try write("good"), "-j", "2", "--format", "json", "--quiet")
        #expect(ending.status == 1)
        struct Results: Decodable {
            let runs: [ScenarioReport]
            let passed: Int
            let failed: Int
        }
        let results = try ending.json(Results.self)
        #expect(results.runs.map(\.scenario.text) == ["bad", "good"] && results.passed == 1 && results.failed == 1)
        #expect(session.world.hypervisor.alive.isEmpty)
    }

    @Test("only what failed when it ran last is run again")
    func again() async throws {
        let good = try write("good")
        let bare = try write("bare", steps: "[up, { expect: { server: web, generation: 7 } }]")
        #expect(try await session.kiln("run", bare, good, "--quiet").status == 1)
        let again = try await session.kiln("run", bare, good, "--rerun-failed", "--format", "json", "--quiet")
        #expect(try again.json(ScenarioReport.self).scenario.text == "bare" && again.status == 1)
        _ = try write("bare")
        #expect(try await session.kiln("run", bare, good, "--rerun-failed", "--quiet").status == 0)
        let nothing = try await session.kiln("run", bare, good, "--rerun-failed")
        #expect(nothing.status == 0 && nothing.errors.contains("none of them failed"))
    }

    @Test("an image that is in no store and has no recipe keeps the run from being begun")
    func bake() async throws {
        let path = try write("strange")
        let text = try String(contentsOfFile: path, encoding: .utf8).replacing("tiny:1", with: "strange:1")
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        let ending = try await session.kiln("run", path, "--bake", "--format", "json")
        #expect(ending.status == 64 && ending.output.contains("search.not-found"), "\(ending.output)")
        #expect(session.world.hypervisor.alive.isEmpty)
    }

    @Test("all images that are missing are named with the command that bakes them, before anything begins")
    func missing() async throws {
        let steps = """
            [up, { replace: { server: web, image: "other:2" } }, { note: a, finally: [{ replace: { server: web, image: "last:1" } }] }]
            """
        let ending = try await session.kiln("run", try write("lacking", steps: steps), "--format", "json")
        #expect(ending.status == 10 && ending.output.contains("run.images-missing"), "\(ending.output)")
        #expect(ending.output.contains("not found: last:1, other:2"))
        #expect(ending.output.contains("kiln image bake last other"))
        #expect(session.world.hypervisor.alive.isEmpty && !ending.errors.contains("step 1"))
    }

    @Test("an image that a step has to fail for need not be there")
    func unneeded() async throws {
        let steps = "[up, { replace: { server: web, image: 'other:2' }, expect-failure: other }]"
        #expect(try await session.kiln("run", try write("refusal", steps: steps), "--quiet").status == 0)
    }

    @Test("a folder is all scenarios in it, a matrix all its combinations, and a tag chooses")
    func choice() async throws {
        _ = try write("a", more: "tags: [quick]\nmatrix: { word: [x, y] }")
        _ = try write("b")
        // The folder has the session's lab file, too, which is nothing to run.
        let all = try await session.kiln("run", session.world.root, "--dry-run", "--quiet")
        let titles = all.output.split(separator: "\n").filter { !$0.hasPrefix(" ") }
        #expect(all.status == 0 && titles == ["a (word=x)", "a (word=y)", "b"], "\(all.output)")
        let quick = try await session.kiln("run", session.world.root, "--dry-run", "--tag", "quick", "--quiet")
        #expect(quick.output.contains("a (word=x)") && !quick.output.contains("\nb\n"))
        let none = try await session.kiln("run", session.world.root, "--tag", "slow", "--format", "json", "--quiet")
        #expect(none.status == 64 && none.output.contains("run.nothing"))
        #expect(session.world.hypervisor.alive.isEmpty)
    }

    @Test("what is wrong with any of the files is told before anything runs")
    func problems() async throws {
        let good = try write("good")
        let ending = try await session.kiln(
            "run",
            good,
            try write("worse", steps: "[upp]"),
            try write("worst", steps: "[]")
        )
        #expect(
            ending.status == 65 && ending.errors.contains("worse.yaml:5:") && ending.errors.contains("worst.yaml:5:")
        )
        #expect(!ending.errors.contains("step 1"))
    }

    @Test("nothing begins any more after a failure with --fail-fast")
    func failFast() async throws {
        let bad = try write("bad", steps: "[up, { exec: { server: web, command: ['false'] } }]")
        let ending = try await session.kiln("run", bad, try write("good"), "--fail-fast", "--quiet")
        #expect(ending.status == 1 && ending.output.contains("0 passed, 1 not, 1 not begun"))
    }

    @Test("with ndjson every line is a document, and the last has the report")
    func lines() async throws {
        let ending = try await session.kiln("run", try write("one"), "--format", "ndjson", "--quiet")
        let lines = ending.output.split(separator: "\n")
        let events = try lines.map { try JSONDecoder().decode(JSONValue.self, from: Data($0.utf8)) }
        #expect(events.first?["event"] == "run-began" && events.last?["event"] == "run-ended")
        #expect(events.last?["report"]?["outcome"] == "passed")
        #expect(events.compactMap { $0["number"] } == (1...events.count).map { .int(Int64($0)) })
    }

    @Test("the scenario that is written to start from is one, in both its combinations")
    func starter() async throws {
        let path = session.world.root + "/new.yaml"
        #expect(try await session.kiln("scenario", "new", path).status == 0)
        #expect(try ScenarioFile.scenarios(at: path).count == 2)
        #expect(try await session.kiln("scenario", "lint", path).status == 0)
        #expect(try await session.kiln("scenario", "new", path).status == 64)
        let told = try await session.kiln("scenario", "explain", path, "--quiet")
        #expect(told.output.contains("a new version") && told.output.contains("my-scenario (strategy=warm-first)"))
    }

    @Test("a file with an external service is explained and run, and is nothing for up, which names it")
    func external() async throws {
        let path = try write("beside", steps: "[up, { note: '${external.db.host}' }]")
        let text = try String(contentsOfFile: path, encoding: .utf8)
            .replacing("lab: {", with: "external: { db: { postgres: { version: 15 } } }\nlab: {")
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        let told = try await session.kiln("scenario", "explain", path)
        #expect(told.output.contains("external db: PostgreSQL 15 of this host"), "\(told.output)\(told.errors)")
        let refused = try await session.kiln("up", "-f", path)
        #expect(refused.status == 64 && refused.errors.contains("has the external service 'db'"), "\(refused.errors)")
        #expect(session.world.externals.running.isEmpty && session.world.hypervisor.alive.isEmpty)
        #expect(try await session.kiln("run", path, "--quiet").status == 0)
        #expect(session.world.externals.ended.map(\.name.text) == ["db"])
    }

    @Test("a schema is one document, by either name")
    func schema() async throws {
        let own = try await session.kiln("scenario", "schema")
        let general = try await session.kiln("schema", "lab")
        #expect(own.output == general.output && own.output.contains("\"$defs\""))
    }

    @Test("a seed and a factor are told and reported; without them there is a new seed, and what the host needs")
    func conditions() async throws {
        let path = try write("one")
        let ending = try await session.kiln("run", path, "--seed", "77", "--timeout-scale", "4", "--format", "json")
        let report = try ending.json(ScenarioReport.self)
        #expect(report.seed == RunSeed(77) && report.timeoutScale == 4)
        #expect(ending.errors.contains(", seed 77, deadlines × 4\n"), "\(ending.errors)")
        let other = try await session.kiln("run", path, "--format", "json")
        // The machines of fakes are slow.
        #expect(try other.json(ScenarioReport.self).timeoutScale == 2.5)
        #expect(other.errors.contains("deadlines × 2.5 without KVM"))
        #expect(other.errors.contains("step 1 up web, about "), "the first run tells how long it takes")
        let bad = try write("bad", steps: "[up, { exec: { server: web, command: ['false'] } }]")
        let failed = try await session.kiln("run", bad, "--seed", "5", "--quiet")
        #expect(failed.output.contains("'--seed 5'"))
    }

    @Test("a run's retained volumes are pruned once that is confirmed")
    func prune() async throws {
        let path = try write("kept", steps: "[up, { exec: { server: web, command: ['false'] } }]")
        let text = try String(contentsOfFile: path, encoding: .utf8)
            .replacing(
                "lab: { servers: { web: {",
                with: "lab: { volumes: { data: { size: 64MiB } }, servers: { web: { volumes: { data: /data },"
            )
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        #expect(try await session.kiln("run", path, "--quiet").status == 1)
        #expect(try await session.kiln("volume", "prune").output.hasPrefix("would remove kept-"))
        #expect(try await session.kiln("volume", "prune", "--yes").output.hasPrefix("removed kept-"))
        #expect(try session.world.engine.volumes.retained().isEmpty)
    }

    @Test(
        "a mistake is a usage error",
        arguments: [
            ["run"], ["run", "a", "-j", "0"], ["run", "a", "--keep", "sometimes"], ["run", "a", "--repeat", "0"],
            ["run", "a", "--tag", "A"], ["run", "a", "--step", "-j", "2"], ["scenario", "explain"],
            ["scenario", "new"], ["run", "a", "--seed", "-1"], ["run", "a", "--timeout-scale", "0"],
            ["run", "a", "--shell-on-failure", "-j", "2"],
        ]
    )
    func mistake(_ line: [String]) {
        #expect { try KilnCommand.parseAsRoot(line) } throws: { KilnCommand.exitCode(for: $0).rawValue == 64 }
    }
}
