import KilnModel
import Testing

extension EndToEnd {
    @Suite("An embedded libvirt", .lane, .serialized, .timeLimit(.minutes(10)))
    struct Embedded {
        @Test(
            "a machine outlives the command that started it; a second command at once is refused, by the name of the first",
            .enabled(if: PlainUser.name != nil, "needs root and a plain user who can run kiln")
        )
        func oneCommand() async throws {
            var home = try await PlainUser.home(length: 0)
            home.options = ["--connect", "qemu:///embed?root=\(home.path)/embed"]
            try await home.withLab("inside") { lab in
                let up = try await lab.up()
                try #require(up.status == 0, "\(up.errors)")
                #expect(up.errors.contains("one command at a time"))
                #expect(!up.errors.contains("libvirt version"), "libvirt's log has a file of its own")
                #expect(lab.machines.compactMap { Processes.user(of: $0) } == [PlainUser.id])

                let first = try lab.home.start(["exec", lab.web, "--", "sh", "-c", "sleep 5; exit 7"])
                try await eventually("the first command is connected") {
                    Processes.matching("exec", lab.web).contains { Processes.holds($0, "driver.pid") }
                }
                let second = try await lab.home.run("ps")
                #expect(second.exit == .blocked && second.errors.contains("(kiln)"), "\(second.errors)")
                #expect(try await first.finish().status == 7)
                try await lab.expectOnly(generation: 1)
                // Where nobody reaped it, libvirt would wait for QEMU for most of a minute.
                let stop = try await lab.home.run("stop", lab.web)
                #expect(stop.status == 0 && stop.duration < .seconds(30), "\(stop.errors)")
            }
            try await home.remove()
        }
    }
}
