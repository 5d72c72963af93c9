import Foundation
import KilnModel
import Testing

extension EndToEnd {
    @Suite("A second terminal", .lane, .serialized, .timeLimit(.minutes(10)))
    struct SecondTerminal {
        @Test("'up' can be repeated, listings are JSON, and another command may look but not change")
        func listings() async throws {
            let home = try #require(Home.shared)
            try await home.withLab("second") { lab in
                try await lab.upOrFail()
                let boot = try await lab.shell("cat /proc/sys/kernel/random/boot_id")
                let again = try await lab.up()
                #expect(again.status == 0 && again.duration < .seconds(10), "\(again.errors)")
                #expect(try await lab.shell("cat /proc/sys/kernel/random/boot_id") == boot)
                try await lab.expectOnly(generation: 1)
                #expect(try await lab.history().operations.map(\.outcome) == ["committed"])
                #expect(try await lab.volume().holder == "\(lab.web)#1")
                let images = try await home.run("image", "list", "--format", "json").json(ImageListReport.self).images
                #expect(images.contains { $0.name == "tiny" && $0.version == "1" })

                let replacement = try await lab.replacement(by: "tiny:2", stoppingAt: "stop.before")
                try await expectReadable(lab, replacement.pid)
                for arguments in [
                    ["replace", lab.web], ["stop", lab.web], ["up", "-f", lab.file], ["down", lab.name],
                ] {
                    let second = try await home.run(arguments)
                    #expect(second.exit == .blocked, "\(arguments): \(second.errors)")
                    #expect(second.errors.contains("pid \(replacement.pid)"), "\(arguments): \(second.errors)")
                    #expect(second.duration < .seconds(10))
                }
                replacement.send(SIGCONT)
                let result = try await replacement.finish()
                #expect(result.status == 0, "\(result.errors)")
                try await lab.expectOnly(generation: 2)
            }
        }

        private func expectReadable(_ lab: Lab, _ pid: Int32) async throws {
            let status = try await lab.status()
            #expect(status.operation?.pid == pid && status.operation?.number == 2)
            #expect(try await lab.history().operations.last?.outcome == nil)
            #expect(try await lab.shell("echo seen") == "seen")
            let logs = try await lab.home.run("logs", lab.web)
            #expect(logs.status == 0 && logs.text.contains("kiln-guest: phase=ready"))
            let plan = try await lab.home.run("recover", lab.web, "--dry-run")
            #expect(plan.status == 0 && plan.text.contains("in progress in drain (pid \(pid))"), "\(plan.text)")
        }
    }
}
