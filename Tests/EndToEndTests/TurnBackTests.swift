import Foundation
import KilnModel
import Testing

extension EndToEnd {
    @Suite("The way back", .lane, .serialized, .timeLimit(.minutes(12)))
    struct TurnBacks {
        @Test("where the new machine never becomes ready, the old one serves again with all data, and evidence is kept")
        func revert() async throws {
            let home = try #require(Home.shared)
            let server = """
                image: tiny:1
                volumes: { data: /data }
                ports: { http: 80 }
                user-data:
                  runcmd:
                    - [sh, -c, ". /etc/kiln-release; echo $VERSION >>/data/starts; sync /data/starts"]
                    - [grep, -q, VERSION=1, /etc/kiln-release]
                ready: [cloud-init, { http: { port: http, path: /health } }]
                """
            try await home.withLab("revert", server: server) { lab in
                try await lab.upOrFail()
                let instance = try await lab.status().instanceID
                let result = try await home.run("replace", lab.web, "--image", "tiny:2", "--format", "json")
                #expect(result.exit == .reverted, "\(result.errors)")
                let report = try result.json(ReplacementResultReport.self)
                #expect(report.outcome == "reverted" && report.exit == 11)
                #expect(report.turn?.step == "healthy" && report.turn?.code == "ready.failed")
                let console = try String(
                    contentsOfFile: try #require(report.evidence) + "/console.log",
                    encoding: .utf8
                )
                #expect(console.contains("runcmd ended with 1"))
                try await lab.expectOnly(generation: 1)
                #expect(try await lab.status().instanceID == instance)
                // What the failed one has written is data as well.
                #expect(try await lab.shell("cat /data/starts") == "1\n2")
                #expect(try await lab.history().operations.map(\.outcome) == ["committed", "reverted"])
            }
        }

        @Test("a guest that ignores the request to shut down serves on; only --force ends it")
        func deafGuest() async throws {
            let home = try #require(Home.shared)
            let server = Home.plainServer.replacingOccurrences(of: "stop-timeout: 60s", with: "stop-timeout: 5s")
            try await home.withLab("deaf", server: server) { lab in
                try await lab.upOrFail()
                try await lab.shell("cd /usr/lib/kiln; cp power power.kept; printf '#!/bin/sh\\n' >power; sync")
                let boot = try await lab.shell("cat /proc/sys/kernel/random/boot_id")
                let result = try await lab.replace("tiny:2")
                #expect(result.exit == .aborted, "\(result.errors)")
                try await lab.expectOnly(generation: 1)
                #expect(try await lab.shell("cat /proc/sys/kernel/random/boot_id") == boot)

                let stop = try await home.run("stop", lab.web)
                #expect(stop.exit == .deadline)
                #expect(stop.errors.contains("kiln stop --force \(lab.web)"))
                #expect(lab.machines.count == 1)
                try await lab.shell("cd /usr/lib/kiln; mv power.kept power; echo kept >/data/record; sync")
                #expect(try await home.run("stop", "--force", lab.web).status == 0)
                #expect(lab.machines.isEmpty)
                let start = try await home.run("start", lab.web)
                #expect(start.status == 0, "\(start.errors)")
                #expect(try await lab.shell("cat /data/record") == "kept")
            }
        }

        @Test("a first machine that never becomes ready is given up with its phase, its last words and the next step")
        func neverReady() async throws {
            let home = try #require(Home.shared)
            let server = """
                image: tiny:1
                volumes: { data: /data }
                ready: [{ exec: "test -e /never" }]
                ready-timeout: 20s
                stop-timeout: 30s
                """
            try await home.withLab("never", server: server) { lab in
                let result = try await home.run("up", "-f", lab.file, "--format", "json")
                #expect(result.exit == .deadline, "\(result.errors)")
                let failure = try result.json(FailureReport.self).error
                #expect(failure.code == "ready.timeout")
                #expect(failure.message.contains("phase ") && failure.message.contains("waiting for exec"))
                #expect(failure.cause?.contains("last lines") == true && failure.cause?.contains("kiln-guest") == true)
                #expect(failure.hint != nil)
                #expect(lab.machines.isEmpty && lab.artefacts.isEmpty)
                #expect(try await lab.status().generation == nil)
                #expect(try await lab.volume().holder == nil)
            }
        }
    }
}
