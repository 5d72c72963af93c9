import Foundation
import Glibc
import Testing

extension EndToEnd {
    @Suite("A database beside the lab", .lane, .serialized, .timeLimit(.minutes(10)))
    struct External {
        /// What is noted of a server that runs.
        private struct Noted: Decodable {
            let pid: Int32
        }

        @Test("a server is replaced beside it: its guests reach it, no record is lost, and no password is told")
        func replacement() async throws {
            let home = try #require(Home.shared)
            let file = "\(Home.checkout)/Scenarios/external-database.yaml"
            let result = try await home.run("run", file, "--format", "json")
            try #require(result.status == 0, "\(result.errors)\n\(result.text)")
            let report = try result.json(RunReport.self)
            #expect(report.outcome == "passed" && report.servers.first?.generation == 2)
            let ledger = try #require(report.ledger)
            #expect(ledger.acknowledged >= 100 && ledger.lost == 0 && ledger.duplicated == 0)
            #expect(result.errors.contains(/db: PostgreSQL serves on port \d+/), "\(result.errors)")
            #expect(!result.text.contains("postgresql://app:") && !result.errors.contains("postgresql://app:"))
            try await expectNothingLeft(home)
            #expect(try FileManager.default.contentsOfDirectory(atPath: home.path + "/runs").isEmpty)
        }

        @Test("the server of a runner that was killed is ended by gc, and its folder goes")
        func killed() async throws {
            let home = try #require(Home.shared)
            let file = home.path + "/waits.yaml"
            let text = """
                kiln: 1
                name: waits
                external: { db: { postgres: {} } }
                lab: { servers: { web: { image: "tiny:1" } } }
                steps: [{ write-ledger: { external: db } }, { sleep: 5m }, { verify-ledger: { external: db } }]

                """
            try Data(text.utf8).write(to: URL(fileURLWithPath: file))
            let runner = try home.start(["run", file, "--format", "ndjson"])
            try await eventually("the second step has begun", within: .seconds(120)) {
                runner.output.contains(#""event":"step-began","id":"2""#) || Processes.state(of: runner.pid) == nil
            }
            runner.send(SIGKILL)
            #expect(try await runner.finish().status == 137)
            let runs = home.path + "/runs"
            let folder = try #require(
                try FileManager.default.contentsOfDirectory(atPath: runs).first { $0.hasSuffix(".external") }
            )
            let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(runs)/\(folder)/db/server.json"))
            let server = try JSONDecoder().decode(Noted.self, from: bytes).pid
            #expect(Processes.commandLine(of: server).contains("postgres") && Processes.user(of: server) != 0)
            let told = try await home.run("gc", "--dry-run")
            #expect(told.text.contains("external waits-") && Processes.state(of: server) != nil, "\(told.text)")
            let gc = try await home.run("gc")
            #expect(gc.status == 0 && gc.text.contains("external waits-"), "\(gc.errors)\n\(gc.text)")
            try await eventually("the server has ended", within: .seconds(10)) {
                Processes.state(of: server).map { $0 == "Z" } ?? true
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: runs).isEmpty)
        }
    }
}
