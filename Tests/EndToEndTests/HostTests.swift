import Foundation
import Testing

extension EndToEnd {
    /// A small, fixed part of what `make hosts` does as a whole.
    @Suite("Other hosts", .lane, .serialized, .timeLimit(.minutes(14)))
    struct OtherHosts {
        @Test(
            "on Debian 13 the program finds all it needs, bakes, replaces, survives kill -9, and serves a plain user",
            .enabled(if: geteuid() == 0, "needs root, who may mount")
        )
        func trixie() async throws {
            let end = try await hosts(["--suite", "trixie", "--quick"])
            #expect(end.status == 0, "\(end.errors)\n\(end.text)")
            let row = try #require(end.text.split(separator: "\n").first { $0.hasPrefix("trixie, all") })
            let counts = row.split(separator: " ").dropFirst(2).prefix(4).compactMap { Int($0) }
            #expect(counts == [7, 7, 0, 0], "\(end.text)")
            let mounts = try String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)
            #expect(!mounts.contains("/hosts/visits/"))
            #expect(!FileManager.default.fileExists(atPath: Home.checkout + "/.build/hosts/visits"))
        }

        @Test("nobody but root may try other hosts, and is told so", .enabled(if: PlainUser.name != nil, "needs root"))
        func withoutRoot() async throws {
            let end = try await hosts(["--quick"], prefix: ["setpriv", "--reuid", try #require(PlainUser.name), "--"])
            #expect(end.status == 1 && end.text.isEmpty && end.errors.contains("root only"), "\(end.errors)")
        }

        @Test("a choice that no check answers to is refused, and does not count as clean")
        func typo() async throws {
            let end = try await hosts(["--only", "doktor"])
            #expect(end.status == 64 && end.errors.contains("doktor"), "\(end.errors)")
        }

        private func hosts(_ arguments: [String], prefix: [String] = []) async throws -> Finished {
            let program = URL(fileURLWithPath: try #require(Home.kiln)).deletingLastPathComponent()
                .appendingPathComponent("kiln-hosts").path
            return try await Command(
                "/usr/bin/env",
                ["--chdir", Home.checkout] + prefix + [program] + arguments,
                environment: ["PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LANG": "C.UTF-8"]
            ).finish(within: .seconds(400))
        }
    }
}
