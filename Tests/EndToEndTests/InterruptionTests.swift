import Foundation
import KilnModel
import Testing

extension EndToEnd {
    @Suite("Ctrl-C", .lane, .serialized, .timeLimit(.minutes(12)))
    struct Interruptions {
        @Test("in the first boot it leaves nothing; in a replacement the old machine serves again")
        func once() async throws {
            let home = try #require(Home.shared)
            try await home.withLab("interrupt") { lab in
                let up = try home.start(["up", "-f", lab.file], failpoint: "healthy.before=stop")
                try await up.awaitStop()
                up.send(SIGINT)
                up.send(SIGCONT)
                let ended = try await up.finish()
                #expect(ended.exit == .interrupted, "\(ended.errors)")
                #expect(lab.machines.isEmpty && lab.artefacts.isEmpty)

                try await lab.upOrFail()
                let first = try #require(try await lab.status().generation)
                try await lab.shell("echo kept >/data/record; sync /data/record")
                for point in ["prepare.after", "healthy.before"] {
                    let command = try await lab.replacement(by: "tiny:2", stoppingAt: point)
                    command.send(SIGINT)
                    command.send(SIGCONT)
                    let result = try await command.finish()
                    #expect(result.exit == .interrupted, "\(point): \(result.errors)")
                    #expect(result.errors.contains("interrupted: leaving a safe state"))
                    try await lab.expectOnly(generation: first)
                    #expect(try await lab.shell("cat /data/record") == "kept")
                }
            }
        }

        @Test("a second one ends kiln at once, and the next command recovers")
        func twice() async throws {
            let home = try #require(Home.shared)
            try await home.withLab("twice") { lab in
                try await lab.upOrFail()
                try await lab.shell("echo kept >/data/record; sync /data/record")
                let command = try await lab.replacement(by: "tiny:2", stoppingAt: "start.before")
                command.send(SIGINT)
                command.send(SIGCONT)
                try await eventually("it has heard the first") { command.errors.contains("once more") }
                command.send(SIGINT)
                let result = try await command.finish(within: .seconds(20))
                #expect(result.exit == .interrupted && result.duration < .seconds(120))
                #expect(try await lab.status().operation != nil)
                let recovery = try await home.run("recover")
                #expect(recovery.status == 0, "\(recovery.errors)")
                try await lab.expectOnly(generation: try #require(try await lab.status().generation))
                #expect(try await lab.shell("cat /data/record") == "kept")
            }
        }
    }
}
