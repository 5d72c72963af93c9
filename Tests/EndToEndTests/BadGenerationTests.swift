import Foundation
import Glibc
import KilnModel
import Testing

extension EndToEnd {
    @Suite("Bad generations", .lane, .serialized, .timeLimit(.minutes(16)))
    struct BadGenerations {
        /// A generation that is no good.
        private struct Bad: Sendable {
            let name: String
            let strategy: String
            var fields: [String] = []
            let exit: KilnModel.ExitCode
            let codes: [String]
            let reason: String
        }

        private static func bootcmd(_ script: String) -> String {
            "user-data: { bootcmd: [[sh, -c, \". /etc/kiln-release; [ $VERSION = 1 ] || \(script)\"]] }"
        }

        private static let bad = [
            Bad(
                name: "its kernel panics",
                strategy: "stop-first",
                fields: [bootcmd("echo c >/proc/sysrq-trigger")],
                exit: .reverted,
                codes: ["ready.crashed"],
                reason: "Kernel panic"
            ),
            Bad(
                name: "its kernel panics before the volume moves",
                strategy: "warm-first",
                fields: [bootcmd("echo c >/proc/sysrq-trigger")],
                exit: .aborted,
                codes: ["ready.crashed"],
                reason: "Kernel panic"
            ),
            Bad(
                name: "it does not mount what is plugged in",
                strategy: "warm-first",
                fields: [bootcmd("echo '#!/bin/sh' >/usr/lib/kiln/mount-volumes")],
                exit: .reverted,
                codes: ["volume.not-mounted"],
                reason: "/data"
            ),
        ]

        private static func server(_ strategy: String, _ more: [String]) -> String {
            """
            image: tiny:1
            volumes: { data: /data }
            ports: { http: 80 }
            strategy: \(strategy)
            warm-ready: [agent, cloud-init]
            ready: [cloud-init, { http: { port: http, path: /health, every: 500ms } }]
            stop-timeout: 30s
            \(more.joined(separator: "\n"))
            """
        }

        @Test("each kind is taken back by itself: the old one serves all data, the reason is named, evidence is kept")
        func takenBack() async throws {
            let home = try #require(Home.shared)
            try await home.withLab("bad", server: Self.server("stop-first", [])) { lab in
                try await lab.upOrFail()
                for (index, bad) in Self.bad.enumerated() {
                    try await lab.shell("echo \(index) >>/data/record; sync /data/record")
                    try await lab.declare(Self.server(bad.strategy, bad.fields))
                    let result = try await home.run("replace", lab.web, "--image", "tiny:2", "--format", "json")
                    #expect(result.exit == bad.exit, "\(bad.name): \(result.errors)")
                    let report = try result.json(ReplacementResultReport.self)
                    let turn = try #require(report.turn, "\(bad.name)")
                    #expect(bad.codes.contains(turn.code) && turn.reason.contains(bad.reason), "\(bad.name): \(turn)")
                    try await expectKept(lab, report, generation: index + 2)
                    let lines = try await lab.shell("cat /data/record").split(separator: "\n")
                    #expect(lines.map(String.init) == (0...index).map(String.init), "\(bad.name)")
                }
            }
        }

        private func expectKept(_ lab: Lab, _ report: ReplacementResultReport, generation: Int) async throws {
            try await lab.expectOnly(generation: 1)
            #expect(lab.mode("servers/web/generations/\(generation)/root.qcow2") == 0o600)
            let evidence = try #require(report.evidence)
            for file in ["console.log", "domain.xml", "journal", "qemu.log"] {
                let size = try FileManager.default.attributesOfItem(atPath: "\(evidence)/\(file)")[.size] as? Int
                #expect((size ?? 0) > 0, "\(file)")
            }
        }

        private static let app = """
            user-data: { bootcmd: [[sh, -c, ". /etc/kiln-release; echo app:x:${VERSION}000:0::/:/bin/sh >>/etc/passwd"]] }
            """

        private static let particular = """
            verify:
              - exec: { run: "su app -c 'cat /data/own'", failures: 1 }
              - exec: { run: ". /etc/kiln-release; [ $VERSION -ge $(cat /data/format) ] || { echo an old format >&2; false; }", failures: 1 }
            """

        @Test("an image whose service has another uid, or which is too old for the volume's format, is taken back")
        func unfit() async throws {
            let home = try #require(Home.shared)
            let server = Self.server("stop-first", [Self.app]).replacing("tiny:1", with: "tiny:2")
            try await home.withLab("unfit", server: server) { lab in
                try await lab.upOrFail()
                // The data that these look at is not there yet when the server is launched.
                try await lab.declare(server + "\n" + Self.particular)
                let owners = [("2000", "Permission denied"), ("1000", "an old format")]
                for (index, (owner, reason)) in owners.enumerated() {
                    let own = "echo kept >/data/own; chmod 600 /data/own; chown \(owner) /data/own"
                    try await lab.shell("\(own); echo 2 >/data/format; sync")
                    let result = try await home.run("replace", lab.web, "--image", "tiny:1", "--format", "json")
                    #expect(result.exit == .reverted, "\(result.errors)")
                    let report = try result.json(ReplacementResultReport.self)
                    let turn = try #require(report.turn)
                    #expect(turn.code == "verify.failed" && turn.reason.contains(reason), "\(turn)")
                    try await expectKept(lab, report, generation: index + 2)
                    #expect(try await lab.shell("cat /data/own") == "kept")
                }
            }
        }

        private static let damage = """
            verify: [{ exec: ". /etc/kiln-release; [ $VERSION = 1 ] || { echo new >>/data/record; sync; exit 65; }" }]
            """

        @Test(
            "data that 'verify' calls damaged halts; 'recover --data restore' puts it back and keeps what it discards"
        )
        func damaged() async throws {
            let home = try #require(Home.shared)
            try await home.withLab("damaged", server: Self.server("warm-first", [Self.damage])) { lab in
                try await lab.upOrFail()
                try await lab.shell("echo old >/data/record; sync /data/record")
                let halted = try await home.run("replace", lab.web, "--image", "tiny:2", "--format", "json")
                #expect(halted.exit == .halted, "\(halted.errors)")
                #expect(try halted.json(ReplacementResultReport.self).turn?.code == "verify.data-damaged")
                #expect(lab.machines.isEmpty)
                let next = try await home.run("start", lab.web)
                #expect(next.exit == .halted && lab.machines.isEmpty)
                for way in [
                    "kiln recover \(lab.web) --data keep", "kiln recover \(lab.web) --data restore",
                    "kiln volume check \(lab.name)/data", "kiln down \(lab.name)",
                ] { #expect(next.errors.contains("'\(way)'"), "\(next.errors)") }
                #expect(try await home.run("volume", "check", "\(lab.name)/data").status == 0)

                let recovered = try await home.run("recover", lab.web, "--data", "restore", "--format", "json")
                #expect(recovered.status == 0, "\(recovered.errors)")
                let report = try #require(try recovered.json(RecoveryReport.self).recovered.first)
                let discarded = try #require(report.discarded)
                #expect(report.outcome == "reverted" && discarded.count == 1)
                try await lab.expectOnly(generation: 1)
                #expect(try await lab.shell("cat /data/record") == "old")
                let list = try await home.run("volume", "list", "--format", "json").json(VolumeListReport.self)
                #expect(discarded.allSatisfy(list.retained.contains))
            }
        }

        @Test("a rehearsal leaves the server alone and nothing behind; killed, the next command clears it away")
        func rehearsal() async throws {
            let home = try #require(Home.shared)
            let failing = "user-data: { runcmd: [[grep, -q, VERSION=1, /etc/kiln-release]] }"
            try await home.withLab("rehearsal", server: Self.server("stop-first", [failing])) { lab in
                try await lab.upOrFail()
                try await lab.shell("echo kept >/data/record; sync /data/record")
                let (machines, boot) = (lab.machines, try await lab.shell(Self.bootID))
                let bad = try await home.run("replace", lab.web, "--image", "tiny:2", "--rehearse")
                #expect(bad.exit == .aborted && bad.errors.contains("rehearsal"), "\(bad.errors)")
                try await expectUntouched(lab, machines, boot)

                let arguments = ["replace", lab.web, "--image", "tiny:2", "--rehearse"]
                let killed = try await home.run(arguments, failpoint: "healthy.before=kill")
                #expect(killed.status == 137 && lab.machines.count == 2)
                #expect(try await home.run("recover").status == 0)
                try await expectUntouched(lab, machines, boot)

                try await lab.declare(Self.server("stop-first", []))
                let good = try await home.run(arguments)
                #expect(good.status == 0, "\(good.errors)")
                try await lab.expectOnly(generation: 2)
                #expect(try await lab.shell("cat /data/record") == "kept")
            }
        }

        private static let bootID = "cat /proc/sys/kernel/random/boot_id"

        private func expectUntouched(_ lab: Lab, _ machines: [Int32], _ boot: String) async throws {
            #expect(lab.machines == machines)
            #expect(try await lab.shell(Self.bootID) == boot)
            try await lab.expectOnly(generation: 1)
            #expect(try FileManager.default.contentsOfDirectory(atPath: lab.directory + "/servers") == ["web"])
            let volumes = try FileManager.default.contentsOfDirectory(atPath: "\(lab.home.path)/volumes/\(lab.name)")
            #expect(volumes.filter { !$0.hasPrefix(".") } == ["data"])
            let ports = try String(contentsOfFile: lab.directory + "/ports.json", encoding: .utf8)
            #expect(!ports.contains("rehearsal"))
        }

        @Test("a broken or deaf old machine is replaced, a rollback goes back to its image, gc runs all the while")
        func brokenOld() async throws {
            let home = try #require(Home.shared)
            try await home.withLab("broken", server: Self.server("warm-first", ["drain: [{ run: [sync] }]"])) { lab in
                try await lab.upOrFail()
                try await lab.shell("echo kept >/data/record; sync /data/record")
                for pid in lab.machines { kill(pid, SIGKILL) }
                try await eventually("the machine's end is known") { try await lab.status().state == "off" }
                let forward = try await beside(lab, ["replace", lab.web, "--image", "tiny:2"])
                try #require(forward.status == 0, "\(forward.errors)")
                try await lab.expectOnly(generation: 2)

                #expect(try await home.run("rollback", lab.web, "--to", "9").exit == .usage)
                try await lab.shell("cd /usr/lib/kiln; printf '#!/bin/sh\\n' >power; sync")
                let back = try await home.run("rollback", lab.web, "--force-stop", "--strategy", "stop-first")
                try #require(back.status == 0, "\(back.errors)")
                try await lab.expectOnly(generation: 3)
                #expect(try await lab.status().image?.version == "1")
                #expect(try await lab.shell("cat /data/record") == "kept")
            }
        }

        /// Runs a command while `gc` runs again and again; one that `gc` keeps out for a moment is tried again.
        private func beside(_ lab: Lab, _ arguments: [String]) async throws -> Finished {
            let collecting = Task {
                while !Task.isCancelled {
                    let result = try await lab.home.run("gc")
                    #expect(result.status == 0, "\(result.errors)")
                }
            }
            defer { collecting.cancel() }
            while true {
                let result = try await lab.home.run(arguments)
                guard result.exit == .blocked, result.errors.contains("kiln gc") else { return result }
            }
        }
    }
}
