import Foundation
import KilnModel
import Testing

extension EndToEnd {
    @Suite("Machines that are cloned instead of booted", .lane, .serialized, .timeLimit(.minutes(15)))
    struct Flash {
        private static let server = Home.plainServer + "\nlaunch: flash"

        @Test("a clone has its own identity, the time, its volume and its port, and stays itself when it reboots")
        func oneClone() async throws {
            let home = try #require(Home.shared)
            try await home.withLab("flash", server: Self.server) { lab in
                try await lab.upOrFail()
                #expect(try await cloned(lab) == nil)
                #expect(
                    try await lab.shell("echo kept >/data/file; sync; grep -c kiln.hold /proc/cmdline || true") == "0"
                )
                try await anew(lab)
                #expect(try await cloned(lab) == true)
                let history = try await home.run("history", lab.web)
                #expect(history.text.contains("cloned, not booted"), "\(history.text)")
                // What its kernel was told names the template; what counts is its seed.
                #expect(try await lab.shell("grep -c kiln.hold /proc/cmdline") == "1")
                let instance = try #require(try await lab.status().instanceID)
                try await expectItself(lab, instance)
                #expect(try await lab.shell("dmesg | grep -c 'reseeded due to virtual machine fork'") == "1")
                let guest = try #require(Int(try await lab.shell("date -u +%s")))
                #expect(abs(guest - Int(Date.now.timeIntervalSince1970)) < 30)
                let before = try await lab.shell("cat /proc/sys/kernel/random/boot_id")
                _ = try await home.run("exec", lab.web, "--", "reboot")
                try await expectReboot(lab, from: before)
                #expect(try await lab.shell("cat /proc/cmdline").contains("ds=nocloud;i=\(instance)"))
                try await expectItself(lab, instance)
            }
        }

        private func expectReboot(_ lab: Lab, from before: String) async throws {
            let end = ContinuousClock.now + .seconds(240)
            while ContinuousClock.now < end {
                let now = try await lab.home.run(
                    "exec",
                    lab.web,
                    "--",
                    "sh",
                    "-c",
                    "cloud-init status --wait >/dev/null; cat /proc/sys/kernel/random/boot_id"
                )
                if now.status == 0, now.text.trimmingCharacters(in: .newlines) != before { return }
                try await Task.sleep(for: .seconds(1))
            }
            Issue.record("\(lab.web) did not reboot")
        }

        private func expectItself(_ lab: Lab, _ instance: String) async throws {
            #expect(try await lab.shell("cat /var/lib/cloud/data/instance-id; hostname") == "\(instance)\nweb")
            #expect(try await lab.shell("cat /data/file; grep -c ' /data ' /proc/mounts") == "kept\n1")
            let port = try #require(try await lab.status().ports["http"]?.host)
            let url = "http://127.0.0.1:\(port)/generation"
            let page = try await Command("/usr/bin/curl", ["-s", url], environment: ["PATH": "/usr/bin"]).finish()
            #expect(page.text.contains(instance), "\(page.text)")
        }

        @Test(
            "two clones of one template have nothing in common that has to be one machine's own, but for the boot's id"
        )
        func twoClones() async throws {
            let home = try #require(Home.shared)
            try await home.withLab("twins") { lab in
                let server = "{ image: tiny:1, launch: flash, ports: { http: 80 } }"
                let text = "kiln: 1\nname: \(lab.name)\nlab:\n  servers:\n    web: \(server)\n    twin: \(server)\n"
                try Data(text.utf8).write(to: URL(fileURLWithPath: lab.file))
                try await lab.upOrFail()
                try await anew(lab)
                let names = ["\(lab.name)/web", "\(lab.name)/twin"]
                for question in [
                    "cat /var/lib/cloud/data/instance-id", "hostname", "cat /sys/class/net/eth0/address",
                    "head -c 16 /dev/urandom | base64", "cat /proc/sys/kernel/random/uuid",
                    // The kernel draws it when it is first asked for, which nobody did in the template.
                    "cat /proc/sys/kernel/random/boot_id",
                ] {
                    let answers = try await ask(home, names, question)
                    #expect(Set(answers).count == 2, "\(question): \(answers)")
                }
            }
        }

        @Test(
            "a command that is killed in the middle of a template or of a clone leaves a server that serves after the next one",
            arguments: ["template.started", "template.saved", "clone.recorded", "clone.copied", "clone.made"]
        )
        func killed(_ failpoint: String) async throws {
            let home = try #require(Home.shared)
            try await home.withLab("flash-kill", server: Self.server) { lab in
                if failpoint.hasPrefix("clone") {
                    try await lab.upOrFail()
                    #expect(try await home.run("down", lab.name).status == 0)
                } else {
                    try? FileManager.default.removeItem(atPath: home.path + "/templates")
                }
                let killed = try await home.run(["up", "-f", lab.file], failpoint: "\(failpoint)=kill")
                try #require(killed.status != 0, "\(failpoint) was not come to: \(killed.errors)")
                try await lab.upOrFail()
                try await lab.expectOnly(generation: try #require(try await lab.status().generation))
                #expect(try await home.run("gc").status == 0)
                #expect(lab.machines.count == 1)
                let names = try FileManager.default.contentsOfDirectory(atPath: home.path + "/templates")
                #expect(names.allSatisfy { !$0.hasSuffix(".making") }, "\(names)")
                #expect(Processes.matching("guest=kiln.kiln-templates.", home.path + "/").isEmpty)
            }
        }

        private func ask(_ home: Home, _ servers: [String], _ question: String) async throws -> [String] {
            var answers: [String] = []
            for server in servers {
                let answer = try await home.run("exec", server, "--", "sh", "-c", question)
                try #require(answer.status == 0, "\(question): \(answer.errors)")
                answers.append(answer.text)
            }
            return answers
        }

        // The same once more, now that there is a template.
        private func anew(_ lab: Lab) async throws {
            let down = try await lab.home.run("down", lab.name)
            try #require(down.status == 0, "\(down.errors)")
            let up = try await lab.up()
            try #require(up.status == 0, "\(up.errors)")
            #expect(!up.errors.contains("boots, and is not cloned"), "\(up.errors)")
        }

        private func cloned(_ lab: Lab) async throws -> Bool? {
            struct List: Decodable {
                struct Server: Decodable {
                    let lab: String
                    let cloned: Bool?
                }
                let servers: [Server]
            }
            let list = try await lab.home.run("ps", "--format", "json").json(List.self)
            return list.servers.first { $0.lab == lab.name }?.cloned
        }
    }
}
