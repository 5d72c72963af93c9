import Foundation
import Testing

extension EndToEnd {
    /// A small, fixed part of what `make sweep` does as a whole.
    @Suite("Sweep", .lane, .serialized, .timeLimit(.minutes(10)))
    struct Sweeps {
        @Test("a full disk, one that fails to sync, and a dead QEMU in the middle of a replacement lose nothing")
        func faults() async throws {
            let cells = ["snapshot.before/full-volume", "handover.after/io-error-state", "healthy.before/kill-new"]
            let sweep = try await sweep(
                ["--lanes", "1"] + cells.flatMap { ["--only", "failpoints/stop-first/\($0)"] }
            )
            #expect(sweep.status == 0, "\(sweep.errors)\n\(sweep.text)")
            #expect(sweep.results.count == cells.count)
            #expect(sweep.results.allSatisfy { $0.acknowledged >= 3 && $0.runs == 1 })
            #expect(sweep.text.contains("Not tried, and why:"))
        }

        @Test("a rollout whose daemon is killed, and a member that dies while an autopilot looks on, lose nothing")
        func members() async throws {
            let cells = ["rollouts/put-in/middle/kill-daemon", "heals/01"]
            let sweep = try await sweep(cells.flatMap { ["--only", $0] })
            #expect(sweep.status == 0, "\(sweep.errors)\n\(sweep.text)")
            #expect(sweep.results.contains { $0.cell == "heals/01" && $0.acknowledged >= 9 && $0.runs == 1 })
            #expect(sweep.results.contains { $0.cell == "rollouts/put-in/middle/kill-daemon" && $0.acknowledged >= 9 })
        }

        @Test("a choice that no cell answers to is refused, and does not count as clean")
        func typo() async throws {
            let sweep = try await sweep(["--only", "power-cuts/1", "--only", "handover.affter"])
            #expect(sweep.status == 64, "\(sweep.errors)\n\(sweep.text)")
            #expect(sweep.errors.contains("handover.affter") && sweep.results.isEmpty)
        }

        @Test("no acknowledged record is missing from a disk that lost its power at any of twelve moments")
        func powerCuts() async throws {
            let sweep = try await sweep(["--only", "power-cuts/1", "--states", "12"])
            #expect(sweep.status == 0, "\(sweep.errors)\n\(sweep.text)")
            let result = try #require(sweep.results.first)
            #expect(result.runs == 12 && result.acknowledged >= 100 && result.lost == 0)
        }

        @Test("a writer that acknowledges before it has synced is found to lose records")
        func earlyAcknowledgement() async throws {
            let bug = ["--plant", "early-acknowledgement"]
            let sweep = try await sweep(["--only", "power-cuts/1", "--states", "12"] + bug)
            #expect(sweep.status == 1, "\(sweep.errors)\n\(sweep.text)")
            #expect(try #require(sweep.results.first).lost > 0)
        }

        private struct Outcome {
            struct Result: Decodable {
                let cell: String
                let acknowledged: Int
                let lost: Int
                let runs: Int
            }

            let status: Int32
            let text: String
            let errors: String
            let results: [Result]
        }

        private func sweep(_ arguments: [String]) async throws -> Outcome {
            let home = try #require(Home.shared)
            let directory = Home.freshPath()
            defer { try? FileManager.default.removeItem(atPath: directory) }
            let program = URL(fileURLWithPath: try #require(Home.kiln)).deletingLastPathComponent()
                .appendingPathComponent("kiln-sweep").path
            let end = try await Command(
                program,
                arguments + ["--results", directory],
                environment: ["PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LANG": "C.UTF-8", "KILN_HOME": home.path]
            ).finish(within: .seconds(540))
            // Not there where no cell was run.
            let text = (try? String(contentsOfFile: directory + "/results.jsonl", encoding: .utf8)) ?? ""
            let lines = text.split(separator: "\n")
            let results = try lines.map { try JSONDecoder().decode(Outcome.Result.self, from: Data($0.utf8)) }
            return Outcome(status: end.status, text: end.text, errors: end.errors, results: results)
        }
    }
}
