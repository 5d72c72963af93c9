import Foundation
import Glibc
import KilnModel
import Testing

extension EndToEnd {
    @Suite("Fencing", .lane, .serialized, .timeLimit(.minutes(10)))
    struct Fencing {
        /// How a process that is none of Kiln's opens a volume.
        private enum Opening { case symbolicLink, hardLink, foreignMachine }

        @Test("a volume that a foreign QEMU has open never gets a second writer, at whatever moment it was opened")
        func foreignHolders() async throws {
            let home = try #require(Home.shared)
            let server = Home.plainServer.replacingOccurrences(of: "60s", with: "30s") + "\nstrategy: stop-first"
            try await home.withLab("fence", server: server) { lab in
                try await lab.upOrFail()
                try await lab.shell("echo kept >/data/record; sync /data/record")
                let boot = try await lab.shell("cat /proc/sys/kernel/random/boot_id")

                // PLAN: nothing was touched.
                let reader = try open(lab, .symbolicLink, reading: true)
                try await eventually("the volume is held") { try Processes.holds(reader.pid, layer(lab)) }
                let refused = try await home.run("replace", lab.web, "--image", "tiny:2", "--format", "json")
                try await end(reader)
                #expect(refused.exit == .blocked, "\(refused.errors)")
                let failure = try refused.json(FailureReport.self).error
                #expect(failure.code == "volume.held" && failure.message.contains("pid \(reader.pid)"))
                #expect(try await lab.shell("cat /proc/sys/kernel/random/boot_id") == boot)
                try await lab.expectOnly(generation: 1)

                try await expectHalt(lab, at: "prove-off.before", .hardLink, outcome: "aborted")
                try await expectHalt(lab, at: "start.before", .foreignMachine, outcome: "reverted")
            }
        }

        /// That a holder which comes at a failpoint keeps everybody out until it goes; then the old machine serves again.
        private func expectHalt(_ lab: Lab, at point: String, _ opening: Opening, outcome: String) async throws {
            let command = try lab.home.start(
                ["replace", lab.web, "--image", "tiny:2", "--format", "json"],
                failpoint: "\(point)=stop"
            )
            // Stopped, it would have its server's lock for ever.
            defer { command.send(SIGKILL) }
            try await command.awaitStop()
            #expect(lab.machines.isEmpty)
            let holder = try open(lab, opening, reading: false)
            defer { holder.send(SIGKILL) }
            let name = opening == .hardLink ? Self.otherName : try layer(lab)
            try await eventually("the volume is held: \(holder.errors)") { Processes.holds(holder.pid, name) }
            command.send(SIGCONT)
            let result = try await command.finish()
            #expect(result.exit == .halted, "\(point): \(result.errors)")
            let report = try result.json(ReplacementResultReport.self)
            #expect(report.turn?.code == "volume.held", "\(point)")
            #expect(report.turn?.reason.contains("pid \(holder.pid)") == true, "\(point): \(report)")
            let again = try await lab.home.run("recover", lab.web)
            #expect(again.exit == .halted && again.errors.contains("pid \(holder.pid)"), "\(point): \(again.errors)")
            #expect(lab.machines.isEmpty)
            try await end(holder)
            let recovered = try await lab.home.run("recover", lab.web, "--format", "json")
            #expect(recovered.status == 0, "\(point): \(recovered.errors)")
            #expect(try recovered.json(RecoveryReport.self).recovered.first?.outcome == outcome)
            try await lab.expectOnly(generation: 1)
            #expect(try await lab.shell("cat /data/record") == "kept")
        }

        private static let otherName = "other-name.qcow2"

        private func directory(_ lab: Lab) -> String { "\(lab.home.path)/volumes/\(lab.name)/data" }

        /// The name of the file that is written to now.
        private func layer(_ lab: Lab) throws -> String { try lab.activeLayer }

        private func open(_ lab: Lab, _ opening: Opening, reading: Bool) throws -> Command {
            let file = "\(directory(lab))/\(try layer(lab))"
            // In the same directory: the name of the layer below it is relative.
            let other = "\(directory(lab))/\(Self.otherName)"
            try? FileManager.default.removeItem(atPath: other)
            switch opening {
            case .symbolicLink:
                try FileManager.default.createSymbolicLink(atPath: other, withDestinationPath: file)
            case .hardLink: try FileManager.default.linkItem(atPath: file, toPath: other)
            case .foreignMachine:
                // Of no libvirt that Kiln knows; it waits before its first instruction.
                let line =
                    "-S -display none -nodefaults -m 16 -monitor none -serial none -drive if=virtio,format=qcow2,file="
                let arguments = (line + file).split(separator: " ").map(String.init)
                return try Command("/usr/bin/qemu-system-x86_64", arguments, environment: [:])
            }
            let sharing = reading ? ["-r", "-U"] : []
            let arguments = sharing + ["-f", "qcow2", "-c", "sleep 600000", other]
            return try Command("/usr/bin/qemu-io", arguments, environment: [:])
        }

        private func end(_ holder: Command) async throws {
            holder.send(SIGKILL)
            _ = try await holder.finish()
        }
    }
}
