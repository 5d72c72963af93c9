import Foundation
import Glibc
import KilnModel
import Testing

extension EndToEnd {
    @Suite("A writer directly in a mount point", .lane, .serialized, .timeLimit(.minutes(90)))
    struct MountPointWriter {
        @Test("loses nothing where kiln is killed at random moments of replacements by both strategies")
        func aFewKills() async throws {
            try await expectNothingLost("tiny", kills: 2, within: .seconds(12))
        }

        @Test(
            "loses nothing in twenty kills, on tiny and on Debian 13",
            arguments: [("tiny", Duration.seconds(12)), ("debian-13", .seconds(150))]
        )
        func twentyKills(_ image: String, _ replacement: Duration) async throws {
            try await expectNothingLost(image, kills: 20, within: replacement)
        }

        private func expectNothingLost(_ image: String, kills: Int, within replacement: Duration) async throws {
            let home = try #require(Home.shared)
            if image != "tiny" { try await home.takeImages(image, linking: true) }
            try await home.withLab("hasty", server: Self.server(image)) { lab in
                try await lab.upOrFail()
                let writer = HastyWriter(lab)
                try await withThrowingTaskGroup { group in
                    group.addTask { try await writer.run() }
                    defer { group.cancelAll() }
                    for round in 1...kills {
                        try await writer.await(3)
                        try await killedReplacement(lab, image, round, within: replacement)
                    }
                    try await writer.await(3)
                }
                let (lost, count) = try await writer.lost()
                print("\(image): of \(count) acknowledged writes \(lost.count) are lost")
                #expect(lost.isEmpty && count >= 3 * kills)
                #expect(try await home.run("history", lab.web).text.contains(HastyWriter.path) == false)
            }
        }

        private func killedReplacement(_ lab: Lab, _ image: String, _ round: Int, within time: Duration) async throws {
            let strategy = round.isMultiple(of: 2) ? "warm-first" : "stop-first"
            let target = "\(image):\(try await lab.status().image?.version == "1" ? 2 : 1)"
            let command = try lab.home.start(["replace", lab.web, "--image", target, "--strategy", strategy])
            try await Task.sleep(for: time * Double.random(in: 0...1))
            command.send(SIGKILL)
            let end = try await command.finish()
            print("\(lab.name) round \(round), \(strategy): \(end.status) after \(end.duration)")
            let recovery = try await lab.home.run("recover", lab.web)
            try #require(recovery.status == 0, "\(recovery.errors)")
            let ready = try await lab.home.run("wait", lab.web)
            try #require(ready.status == 0, "\(ready.errors)")
        }

        @Test("would lose what it writes too early, were it not for the guard")
        func withoutTheGuard() async throws {
            let home = try #require(Home.shared)
            try await home.withLab("unguarded", server: Self.server("tiny", user: Self.unguarded)) { lab in
                try await lab.upOrFail()
                let writer = HastyWriter(lab)
                try await withThrowingTaskGroup { group in
                    group.addTask { try await writer.run() }
                    defer { group.cancelAll() }
                    try await writer.await(3)
                    let end = try await lab.replace("tiny:2")
                    try #require(end.status == 0, "\(end.errors)")
                    try await writer.await(3)
                }
                #expect(try await writer.lost().lost.isEmpty == false)
                #expect(try await home.run("drift", lab.web).text.contains("hidden 1\n  \(HastyWriter.path)\n"))
            }
        }

        // As in an image without a guard, with a boot that takes its time.
        private static let unguarded = """
            user-data: { bootcmd: ["chattr -i /data; sleep 5"] }
            """

        private static func server(_ image: String, user data: String = "") -> String {
            """
            image: \(image):1
            processors: 1
            volumes: { data: /data }
            ready: [agent, cloud-init]
            ready-timeout: 8m
            stop-timeout: 90s
            \(data)
            """
        }
    }
}
