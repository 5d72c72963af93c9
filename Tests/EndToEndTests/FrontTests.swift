import Foundation
import Glibc
import Testing

extension EndToEnd {
    @Suite("A server with a hold", .lane, .serialized, .timeLimit(.minutes(10)))
    struct Fronts {
        @Test("no request fails while it is replaced by either strategy, and nothing is left")
        func replacements() async throws {
            let home = try #require(Home.shared)
            let result = try await home.run("run", "\(Home.checkout)/Scenarios/hold.yaml", "--format", "json")
            try #require(result.status == 0, "\(result.errors)\n\(result.text)")
            let ledger = try #require(try result.json(RunReport.self).ledger)
            #expect(ledger.acknowledged >= 200 && ledger.lost == 0)
            try await expectNothingLeft(home)
            expectNoFront(home)
        }

        @Test("no request fails while all members of it get another image, and each keeps its data")
        func rollout() async throws {
            let home = try #require(Home.shared)
            let result = try await home.run("run", "\(Home.checkout)/Scenarios/rollout.yaml", "--format", "json")
            try #require(result.status == 0, "\(result.errors)\n\(result.text)")
            let ledger = try #require(try result.json(RunReport.self).ledger)
            #expect(ledger.acknowledged >= 50 && ledger.lost == 0)
            try await expectNothingLeft(home)
            expectNoFront(home)
        }

        @Test("its front, killed alone or with who keeps it, is back by itself or with 'up'; its lab takes it along")
        func killed() async throws {
            let home = try #require(Home.shared)
            let file = home.path + "/held.yaml"
            try Data(Self.lab.utf8).write(to: URL(fileURLWithPath: file))
            let up = try await home.run("up", "-f", file)
            try #require(up.status == 0, "\(up.errors)")
            do {
                try await ask(home)
                let front = try #require(Processes.matching("haproxy", home.path + "/").first)
                #expect(Processes.user(of: front) != 0)
                kill(front, SIGKILL)
                try await ask(home)
                for process in Processes.matching("__front", home.path + "/")
                    + Processes.matching("haproxy", home.path + "/")
                {
                    kill(process, SIGKILL)
                }
                let again = try await home.run("up", "-f", file)
                try #require(again.status == 0, "\(again.errors)")
                try await ask(home)
            } catch {
                _ = try? await home.run("down", "held")
                throw error
            }
            let down = try await home.run("down", "held")
            #expect(down.status == 0, "\(down.errors)")
            expectNoFront(home)
        }

        private func expectNoFront(_ home: Home) {
            #expect(Processes.matching("__front", home.path + "/").isEmpty)
            #expect(Processes.matching("haproxy", home.path + "/").isEmpty)
        }

        // The published port, by somebody who tries again for a while when nobody listens.
        private func ask(_ home: Home) async throws {
            let status = try await home.run("ps", "--format", "json").json(Listing.self)
            let port = try #require(status.servers.first { $0.lab == "held" }?.ports["http"]?.host)
            let patience = ["--retry", "20", "--retry-delay", "1", "--retry-connrefused", "--max-time", "60"]
            let arguments = ["-sf"] + patience + ["http://127.0.0.1:\(port)/version"]
            let curl = try Command("/usr/bin/curl", arguments, environment: [:])
            let ended = try await curl.finish(within: .seconds(90))
            #expect(ended.status == 0 && ended.text.hasPrefix("1"), "\(ended.status) \(ended.errors)")
        }

        private struct Listing: Decodable {
            struct Server: Decodable {
                struct Port: Decodable { let host: UInt16 }
                let lab: String
                let ports: [String: Port]
            }
            let servers: [Server]
        }

        private static let lab = """
            kiln: 1
            name: held
            lab:
              servers:
                web:
                  image: tiny:1
                  ports: { http: 80 }
                  ready: [agent, cloud-init, { http: { port: http, path: /version } }]
                  hold: 1m
            """
    }
}
