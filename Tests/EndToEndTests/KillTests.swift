import Foundation
import Testing

extension EndToEnd {
    @Suite("kill -9", .lane, .serialized, .timeLimit(.minutes(20)))
    struct Kills {
        // On both sides of all that is decided; a sweep has every step.
        private static let points = [
            "plan.before", "stop.before", "snapshot.before", "handover.before", "handover.after", "healthy.before",
            "commit.after",
        ]

        @Test("after kiln was killed at any decision of a replacement, the next command makes one machine serve")
        func decisions() async throws {
            let home = try #require(Home.shared)
            try await home.withLab("kill") { lab in
                try await lab.upOrFail()
                try await lab.shell("echo 0 >/data/record; sync /data/record")
                var serving = 1
                for (index, point) in Self.points.enumerated() {
                    // What an earlier round wrote has outlived all kills until now.
                    #expect(try await lab.shell("wc -l </data/record") == "\(index + 1)", "\(point)")
                    try await lab.shell("echo \(point) >>/data/record; sync /data/record")
                    let number = index + 2
                    let killed = try await lab.replace("tiny:2", failpoint: "\(point)=kill")
                    #expect(killed.status == 137, "\(point): \(killed.errors)")
                    #expect(lab.machines.count <= 1, "\(point)")
                    // A listing tells of it, and changes nothing.
                    let operation = try #require(try await lab.status().operation, "\(point)")
                    #expect(operation.number == number && operation.pid == nil, "\(point)")

                    let recovery = try await home.run("recover", lab.web, "--format", "json")
                    try #require(recovery.status == 0, "\(point): \(recovery.errors)")
                    let outcome = try #require(try recovery.json(RecoveryReport.self).recovered.first?.outcome)
                    let isForward = try index >= #require(Self.points.firstIndex(of: "handover.after"))
                    #expect(outcome == (isForward ? "committed" : "aborted"), "\(point)")
                    if isForward { serving = number }
                    try await lab.expectOnly(generation: serving)
                    #expect(try await lab.volume().holder == "\(lab.web)#\(serving)", "\(point)")
                    #expect(try await home.run("wait", lab.web).status == 0, "\(point)")
                }
                let history = try await lab.history()
                #expect(history.operations.map(\.number) == Array(1...(Self.points.count + 1)))
                #expect(history.operations.allSatisfy { $0.outcome != nil })
                #expect(try await home.run("gc", "--dry-run").text.contains(lab.directory) == false)
            }
        }

        @Test(
            "a command that is killed while the first machine boots leaves an unready server that the next 'up' finishes"
        )
        func firstBoot() async throws {
            let home = try #require(Home.shared)
            try await home.withLab("firstboot") { lab in
                let killed = try await home.run(["up", "-f", lab.file], failpoint: "healthy.before=kill")
                #expect(killed.status == 137)
                #expect(try await lab.status().operation?.pid == nil)
                try await lab.upOrFail()
                let serving = try #require(try await lab.status().generation)
                try await lab.expectOnly(generation: serving)
            }
        }

        @Test(
            "after the private daemon was killed, its successor adopts what runs, also in the middle of a replacement"
        )
        func daemon() async throws {
            let home = try #require(Home.shared)
            try await home.withLab("daemon") { lab in
                try await lab.upOrFail()
                try await lab.shell("echo kept >/data/record; sync /data/record")
                try await killDaemon(home)
                try await lab.expectOnly(generation: 1)
                #expect(try await lab.shell("cat /data/record") == "kept")

                let command = try await lab.replacement(by: "tiny:2", stoppingAt: "healthy.before")
                try await killDaemon(home)
                command.send(SIGCONT)
                let result = try await command.finish()
                let recovery = try await home.run("recover", lab.web)
                try #require(recovery.status == 0, "\(result.errors)\n\(recovery.errors)")
                let serving = try #require(try await lab.status().generation)
                #expect(result.status != 0 || serving == 2)
                try await lab.expectOnly(generation: serving)
                #expect(try await lab.shell("cat /data/record") == "kept")

                for pid in lab.machines { kill(pid, SIGKILL) }
                try await eventually("the machine's end is known") { try await lab.status().state == "off" }
                try await lab.upOrFail()
                try await lab.expectOnly(generation: serving)
                #expect(try await lab.shell("cat /data/record") == "kept")
            }
        }

        private func killDaemon(_ home: Home) async throws {
            let daemons = home.daemons
            try #require(!daemons.isEmpty)
            for pid in daemons { kill(pid, SIGKILL) }
            try await eventually("the daemon is dead") { home.daemons.isEmpty }
        }
    }
}
