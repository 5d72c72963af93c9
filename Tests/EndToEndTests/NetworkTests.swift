import Foundation
import Glibc
import KilnModel
import Testing

extension EndToEnd {
    @Suite("Networks of a lab", .lane, .serialized, .timeLimit(.minutes(20)))
    struct Networks {
        @Test(
            "three servers know each other by name, while one is replaced by either strategy, and after its switch was killed"
        )
        func names() async throws {
            let home = try #require(Home.shared)
            let file = home.path + "/names.yaml"
            try Data(Self.lab.utf8).write(to: URL(fileURLWithPath: file))
            let up = try await home.run("up", "-f", file)
            try #require(up.status == 0, "\(up.errors)")
            do {
                for server in ["client", "other"] { try await ask(home, server, "web", version: "1") }
                let mac = try await mac(home, "web")
                for (strategy, version) in [("stop-first", "2"), ("warm-first", "1")] {
                    let end = try await home.run(
                        "replace",
                        "names/web",
                        "--image",
                        "tiny:\(version)",
                        "--strategy",
                        strategy
                    )
                    try #require(end.status == 0, "\(end.errors)")
                    try await ask(home, "client", "web", version: version)
                    // The card is the server's: what the client remembers of it stays true.
                    #expect(try await self.mac(home, "web") == mac)
                }
                try await killSwitch(home)
                let machines = Processes.matching("qemu-system", "guest=kiln.names.", home.path + "/")
                for name in ["web", "other"] { try await ask(home, "client", name, version: "1") }
                #expect(Processes.matching("qemu-system", "guest=kiln.names.", home.path + "/") == machines)
                #expect(machines.count == 3)
            } catch {
                _ = try? await home.run("down", "names")
                throw error
            }
            let down = try await home.run("down", "names")
            #expect(down.status == 0, "\(down.errors)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: home.path + "/sockets").isEmpty)
            #expect(Processes.matching("__switch", home.path + "/").isEmpty)
        }

        // busybox's wget and ping, by the name in /etc/hosts; five seconds are all that it may take.
        private func ask(_ home: Home, _ client: String, _ server: String, version: String) async throws {
            let script = """
                for try in 1 2 3 4 5; do
                    wget -q -T 1 -O - http://\(server)/version && ping -c 1 -W 1 \(server) >/dev/null && exit 0
                    usleep 200000
                done
                ip addr; cat /etc/hosts; exit 1
                """
            let result = try await home.run("exec", "names/\(client)", "--", "sh", "-c", script)
            #expect(
                result.status == 0 && result.text.hasPrefix(version),
                "\(client) → \(server): \(result.text) \(result.errors)"
            )
        }

        private func mac(_ home: Home, _ server: String) async throws -> String {
            let script = "cat /sys/class/net/*/address | grep '^52:54:0a'"
            let result = try await home.run("exec", "names/\(server)", "--", "sh", "-c", script)
            try #require(result.status == 0, "\(result.errors)")
            return result.text
        }

        private func killSwitch(_ home: Home) async throws {
            let switches = Processes.matching("__switch serve", home.path + "/")
            try #require(switches.count == 1)
            #expect(switches.allSatisfy { Processes.user(of: $0) != 0 })
            switches.forEach { kill($0, SIGKILL) }
        }

        private static let lab = """
            kiln: 1
            name: names
            lab:
              networks: { lan: {} }
              servers:
                web: { image: tiny:1, networks: lan, network: isolated }
                client: { image: tiny:1, networks: [lan] }
                other: { image: tiny:1, networks: [lan] }
            """
    }
}
