import Foundation
import KilnModel
import Testing

extension EndToEnd {
    @Suite("Debian 13 with real cloud-init", .lane, .serialized, .timeLimit(.minutes(24)))
    struct Debian {
        private static let bootID = "cat /proc/sys/kernel/random/boot_id"
        // Each in a line of its own; every command costs an emulated guest a second.
        private static let identity = """
            cloud-init status --wait | sed -n 's/^.*status: //p'
            cat /var/lib/cloud/data/instance-id
            cat /proc/sys/kernel/random/boot_id
            cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub
            findmnt -n -o UUID /data
            """
        // One processor, because an emulated guest with several crashes now and then: see Sources/KilnHost/README.md.
        private static let server = """
            image: debian-13:1
            processors: 1
            volumes: { data: /data }
            ports: { http: 80, ssh: 22 }
            ready: [agent, cloud-init]
            ready-timeout: 8m
            stop-timeout: 90s
            """

        @Test("a replacement is a new instance with the injected host key and the old volume")
        func replacement() async throws {
            let home = try #require(Home.shared)
            try await home.takeImages("debian-13", linking: true)
            try await home.withLab("debian", server: Self.server) { lab in
                try await lab.upOrFail()
                let first = try await identity(lab)
                #expect(first.status == "done")
                #expect(first.hostKey == (try injectedHostKey(lab, generation: 1)))
                try await lab.shell("echo gone >/etc/marker; echo kept >/data/record; sync")
                let image = try #require(try await lab.status().image)
                let sealed = try await SealedImage(home, image.digest)

                let result = try await lab.replace("debian-13:2")
                try #require(result.status == 0, "\(result.errors)")
                try await lab.expectOnly(generation: 2)
                let second = try await identity(lab)
                #expect(second.status == "done")
                #expect(second.instance != first.instance && second.boot != first.boot)
                #expect(second.hostKey == (try injectedHostKey(lab, generation: 2)))
                #expect(second.hostKey != first.hostKey)
                #expect(second.fileSystem == first.fileSystem)
                #expect(try await lab.shell("test ! -e /etc/marker; echo $?; cat /data/record") == "0\nkept")
                #expect(try await SealedImage(home, image.digest) == sealed)
                try await expectLogin(home, lab)
            }
        }

        @Test("stop, start and reboot are no new instance; one that comes warm-first is, and reboots as well")
        func boots() async throws {
            let home = try #require(Home.shared)
            try await home.takeImages("debian-13", linking: true)
            try await home.withLab("boots", server: Self.server) { lab in
                try await lab.upOrFail()
                let first = try await identity(lab)
                try await lab.shell("echo kept >/data/record; sync")
                try await expectSameAfterStopAndStart(home, lab, first)
                try await expectSameAfterReboot(lab, first)
                try await expectWarmReplacement(home, lab, after: first)
            }
        }

        // systemd mounts the volume when it comes, and at every later boot.
        private func expectWarmReplacement(_ home: Home, _ lab: Lab, after first: Identity) async throws {
            let result = try await home.run(
                "replace",
                lab.web,
                "--image",
                "debian-13:2",
                "--strategy",
                "warm-first"
            )
            try #require(result.status == 0, "\(result.errors)")
            try await lab.expectOnly(generation: 2)
            let second = try await identity(lab)
            #expect(second.status == "done" && second.fileSystem == first.fileSystem)
            #expect(second.instance != first.instance && second.hostKey != first.hostKey)
            #expect(try await lab.shell("cat /data/record") == "kept")
            try await expectSameAfterReboot(lab, second)
        }

        private struct Identity: Equatable {
            let status: String
            let instance: String
            let boot: String
            let hostKey: String
            let fileSystem: String
        }

        private func identity(_ lab: Lab) async throws -> Identity {
            let said = try await lab.shell(Self.identity).split(separator: "\n").map(String.init)
            try #require(said.count == 5, "\(said)")
            return Identity(status: said[0], instance: said[1], boot: said[2], hostKey: said[3], fileSystem: said[4])
        }

        private func expectSame(_ now: Identity, as first: Identity) {
            #expect(now.status == "done")
            #expect(now.instance == first.instance && now.hostKey == first.hostKey)
            #expect(now.fileSystem == first.fileSystem && now.boot != first.boot)
        }

        private func expectSameAfterStopAndStart(_ home: Home, _ lab: Lab, _ first: Identity) async throws {
            let stop = try await home.run("stop", lab.web)
            try #require(stop.status == 0, "\(stop.errors)")
            let start = try await home.run("start", lab.web)
            try #require(start.status == 0, "\(start.errors)")
            expectSame(try await identity(lab), as: first)
        }

        private func expectSameAfterReboot(_ lab: Lab, _ first: Identity) async throws {
            let before = try await lab.shell(Self.bootID)
            try await lab.shell("systemd-run --on-active=1 systemctl reboot")
            try await eventually("the guest has rebooted", within: .seconds(240)) {
                let now = try await lab.home.run("exec", lab.web, "--", "sh", "-c", Self.bootID)
                return now.status == 0 && now.text.trimmingCharacters(in: .newlines) != before
            }
            expectSame(try await identity(lab), as: first)
        }

        // Strict checking: the key that answers has to be the one that the seed brought.
        private func expectLogin(_ home: Home, _ lab: Lab) async throws {
            let login = try await home.run("ssh", lab.web, "--", "hostname")
            #expect(login.status == 0 && login.text == "web\n", "\(login.errors)")
        }

        private func injectedHostKey(_ lab: Lab, generation: Int) throws -> String {
            struct Record: Decodable { let hostKey: String }
            let path = "\(lab.directory)/servers/web/generations/\(generation)/generation.json"
            let record = try JSONDecoder().decode(Record.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
            return record.hostKey.split(separator: " ").prefix(2).joined(separator: " ")
        }
    }
}
