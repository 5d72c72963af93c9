import Foundation
import Glibc
import Testing

extension EndToEnd {
    @Suite("Runs of scenarios", .lane, .serialized, .timeLimit(.minutes(40)))
    struct Runs {
        /// Two ledgers on two volumes, a replacement beside other steps, by either strategy, and something at the end.
        private static let whole = """
            kiln: 1
            name: whole
            matrix: { strategy: [stop-first, warm-first] }
            lab:
              volumes: { data: { size: 64MiB }, more: { size: 64MiB } }
              servers:
                web:
                  image: tiny:1
                  volumes: { data: /data, more: /more }
                  ports: { http: 80 }
                  ready: [cloud-init, { http: { port: http, path: /health } }]
                other: { image: tiny:1, volumes: {}, ready: [cloud-init] }
            steps:
              - up: [web]
              - write-ledger: { server: web, path: /data/ledger, rate: 50 }
              - parallel:
                  - replace: { server: web, image: "tiny:2", strategy: "${matrix.strategy}" }
                  - up: [other]
              - verify-ledger: { server: web, records-at-least: 20 }
              - write-ledger: { server: web, path: /more/ledger, ledger: second }
              - expect: { server: web, generation: 2, image: "tiny:2", drift: none }
                save: { boot: boot-id, instance: instance-id }
              - reboot: [web]
              - expect:
                  server: web
                  generation: 2
                  instance-id: "${saved.instance}"
                  boot-id: { not: "${saved.boot}" }
                  console: ["phase=ready", "!Kernel panic"]
              - verify-ledger: { server: web, ledger: second }
            finally:
              - exec: { server: web, command: [sync] }

            """

        private func file(_ home: Home) throws -> String {
            let path = home.path + "/whole.yaml"
            try Data(Self.whole.utf8).write(to: URL(fileURLWithPath: path))
            return path
        }

        @Test(
            "at the first failure a shell has the terminal and reaches the lab; after it nothing is left but the evidence"
        )
        func shell() async throws {
            let home = try #require(Home.shared)
            let path = home.path + "/shelled.yaml"
            let text = """
                kiln: 1
                name: shelled
                lab: { servers: { web: { image: "tiny:1", ready: [cloud-init], user-data: { password: swordfish9 } } } }
                steps: [up, { exec: { server: web, command: ["false"] } }]

                """
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            let kiln = try #require(Home.kiln)
            let typed = """
                '\(kiln)' exec "$KILN_LAB/web" -- true </dev/null && echo reached-$((40 + 2))
                stty echo </dev/tty && echo foreground-$((40 + 2))
                exit

                """
            let ended = try await home.runOnTerminal("run", path, "--shell-on-failure", "--seed", "7", typed: typed)
            #expect(ended.status == 1, "\(ended.text)")
            for words in ["reached-42", "foreground-42", "the shell has ended", "seed 7", "'--seed 7'"] {
                #expect(ended.text.contains(words), "\(words): \(ended.text)")
            }
            try await expectOnlyRetained(home)
            let line = try #require(ended.text.split(whereSeparator: \.isNewline).first { $0.contains("evidence in ") })
            let folder = line.split(separator: " ").last.map(String.init) ?? ""
            for name in ["events.ndjson", "web.1/console.log", "web.1/domain.xml", "web.1/trace.log"] {
                let content = try #require(FileManager.default.contents(atPath: "\(folder)/\(name)"), "\(name)")
                #expect(content.range(of: Data("swordfish9".utf8)) == nil, "\(name)")
            }
        }

        /// The networks, machines and volumes that are left; retained ones are told apart.
        private func expectOnlyRetained(_ home: Home) async throws {
            #expect(home.machines.isEmpty)
            #expect(try await home.run("ps", "--format", "json").json(ServerListReport.self).servers.isEmpty)
            let volumes = try await home.run("volume", "list", "--format", "json").json(VolumeListReport.self)
            #expect(volumes.volumes.isEmpty)
            let garbage = try await home.run("gc", "--dry-run")
            #expect(garbage.status == 0 && !garbage.text.contains(home.path), "\(garbage.text)")
        }

        @Test("one file runs twice at the same time, each in a lab of its own, and leaves nothing")
        func twice() async throws {
            let home = try #require(Home.shared)
            let page = home.path + "/whole.html"
            let run = try await home.run("run", "-j", "2", try file(home), "--format", "json", "--html", page)
            try #require(run.status == 0, "\(run.errors)\n\(run.text)")
            let reports = try run.json(ManyRuns.self).runs
            #expect(Set(reports.map(\.lab)).count == 2)
            #expect(Set(reports.map { $0.variant["strategy"] }) == ["stop-first", "warm-first"])
            for report in reports {
                #expect(report.outcome == "passed" && report.ledgers.count == 2 && report.finally.count == 1)
                #expect(report.ledgers.allSatisfy { $0.verdict.acknowledged > 0 && $0.verdict.lost == 0 })
            }
            try await expectOnlyRetained(home)
            let shown = try String(contentsOfFile: page, encoding: .utf8)
            #expect(shown.contains("warm-first") && shown.contains("HANDOVER") && !shown.contains("<script"))
        }

        /// What is the same after a replacement, and what is another.
        private static let facts = """
            kiln: 1
            name: facts
            matrix: { strategy: [stop-first, warm-first] }
            lab:
              volumes: { data: { size: 64MiB }, more: { size: 64MiB } }
              servers:
                web: { image: "tiny:1", volumes: { data: /data, more: /data/more }, ready: [cloud-init] }
            steps:
              - up
              - exec: { server: web, command: "mkdir -p /data/a; date > '/data/a/b c'; ln -s c /data/d; date > /data/more/e; sync" }
              - expect: { server: web, ready-within: 10m, host-key: none }
                save: { all: volumes.data.content, id: volumes.data.uuid, more: volumes.more.content, took: ready-ms }
              - note: "ready after ${saved.took} ms"
              - expect: { server: web, volumes: { more: { uuid: { not: "${saved.id}" }, content: { not: "${saved.all}" } } } }
              - exec: { server: web, command: [rm, /data/more/e] }
              - expect: { server: web, volumes: { data: { content: "${saved.all}" }, more: { content: { not: "${saved.more}" } } } }
              - replace: { server: web, image: "tiny:2", strategy: "${matrix.strategy}" }
              - expect: { server: web, ready-within: 10m, volumes: { data: { uuid: "${saved.id}", content: "${saved.all}" } } }
              - reboot: [web]
              - expect: { server: web, console: phase=ready, eventually: { within: 30s } }
              - exec: { server: web, command: [rm, /data/d] }
              - expect: { server: web, volumes: { data: { content: { not: "${saved.all}" } } }, always: { for: 2s, every: 1s } }
              - expect: { server: web, ready-within: 1ms }
                expect-failure: "ready within 1 ms of its start expected"

            """

        @Test("what a volume holds is compared over a replacement, by what the guest's own tools tell")
        func facts() async throws {
            let home = try #require(Home.shared)
            let path = home.path + "/facts.yaml"
            try Data(Self.facts.utf8).write(to: URL(fileURLWithPath: path))
            let run = try await home.run("run", path, "--format", "json")
            #expect(run.status == 0, "\(run.errors)\n\(run.text)")
            try await expectOnlyRetained(home)
        }

        @Test("after a runner was killed in any of its steps the next run leaves nothing but retained volumes")
        func everyKill() async throws {
            for step in 1...9 { try await kill(in: "\(step)") }
        }

        @Test("after a runner was killed in its replacement the next run leaves nothing but retained volumes")
        func killedInReplacement() async throws { try await kill(in: "3.1") }

        private func kill(in step: String) async throws {
            let home = try #require(Home.shared)
            let before = try await home.run("volume", "list", "--format", "json").json(VolumeListReport.self).retained
            let runner = try home.start(["run", "--fail-fast", try file(home), "--format", "ndjson"])
            let isThere = { runner.output.contains(#""event":"step-began","id":"\#(step)""#) }
            try await eventually("step \(step) has begun", within: .seconds(200)) {
                isThere() || Processes.state(of: runner.pid) == nil
            }
            runner.send(SIGKILL)
            let ended = try await runner.finish()
            #expect(ended.status == 137 && isThere(), "\(step): \(ended.errors)\n\(runner.output)")
            #expect(!home.machines.isEmpty || step == "1", "\(step)")

            let next = try await home.run("run", "\(Home.checkout)/Scenarios/bad-image-reverts.yaml", "--quiet")
            #expect(next.status == 0, "\(step): \(next.errors)\n\(next.text)")
            try await expectOnlyRetained(home)
            let list = try await home.run("volume", "list", "--format", "json").json(VolumeListReport.self)
            #expect(list.retained.count == before.count + (step == "1" ? 0 : 2), "\(step): \(list.retained)")
            #expect(try await home.run("volume", "prune", "--yes").status == 0)
            let left = try await home.run("volume", "list", "--format", "json").json(VolumeListReport.self)
            #expect(left.retained.isEmpty, "\(step)")
        }
    }
}

/// What `run` says of several runs in JSON.
private struct ManyRuns: Decodable {
    struct Run: Decodable {
        struct Ledger: Decodable {
            let verdict: RunReport.Ledger
        }

        let lab: String
        let variant: [String: String]
        let outcome: String
        let ledgers: [Ledger]
        let finally: [RunReport.Step]
    }

    let runs: [Run]
}
