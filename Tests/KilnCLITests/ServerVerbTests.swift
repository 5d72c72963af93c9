import ArgumentParser
import Foundation
import KilnEngine
import KilnModel
import KilnSystem
import KilnTestSupport
import Testing

@testable import KilnCLI

@Suite("Verbs that change and show servers, on fakes")
struct ServerVerbTests {
    private struct Servers: Decodable {
        struct Server: Decodable {
            let name: String
            let generation: Int?
            let state: String
        }
        let servers: [Server]
    }

    private struct Failure: Decodable {
        struct Problem: Decodable {
            let code: String
            let hint: String?
        }
        let error: Problem
    }

    private func servers(_ kiln: WorldSession) async throws -> [Servers.Server] {
        try await kiln.kiln("ps", "--format", "json").json(Servers.self).servers
    }

    @Test("a dry run says what would change, and changes nothing")
    func dryRuns() async throws {
        let kiln = try WorldSession()
        let first = try await kiln.kiln("up", "-f", kiln.file, "--dry-run")
        #expect(first.status == 0 && first.output.contains("shop/web  launch generation 1"))
        #expect(first.output.hasSuffix("a dry run: nothing was changed\n"))
        #expect(try await servers(kiln).isEmpty)
        #expect(try await kiln.kiln("up", "-f", kiln.file).status == 0)
        let next = try await kiln.kiln("replace", "web", "--image", "tiny:2", "--dry-run")
        #expect(next.status == 0 && next.output.hasPrefix("shop/web  generation 1 → 2, stop-first\n  image: tiny:1 ("))
        #expect(try await servers(kiln).map(\.generation) == [1])
    }

    @Test("all members of a server are replaced, what users saw is told, and a page shows it")
    func rollout() async throws {
        let kiln = try WorldSession()
        let text = try String(contentsOfFile: kiln.file, encoding: .utf8)
            .replacing("ready: [agent, cloud-init]", with: "ready: [agent, { http: { port: http, path: / } }]")
            .replacing("      image:", with: "      replicas: 2\n      image:")
        try Data(text.utf8).write(to: URL(fileURLWithPath: kiln.file))
        #expect(try await kiln.kiln("up", "-f", kiln.file).status == 0)
        let page = kiln.world.root + "/rollout.html"
        let end = try await kiln.kiln("replace", "web", "--image", "tiny:2", "--html", page)
        #expect(end.status == 0 && end.output.contains("shop/web: rollout 1 completed: 2 (1, 0) new"), "\(end.output)")
        #expect(end.output.contains(" requests failed, longest gap "), "\(end.output)")
        let html = try String(contentsOfFile: page, encoding: .utf8)
        #expect(html.contains("rollout 1, to ") && html.contains("2 of 2") && html.contains("web-1 generation 2"))
        let refused = try await kiln.kiln("replace", "web", "--rehearse")
        #expect(refused.status == 64 && refused.errors.contains("--rehearse is for one of them"))
        struct Rollout: Decodable { let outcome: String, availability: Seen }
        struct Seen: Decodable { let sent: Int }
        let json = try await kiln.kiln("replace", "web", "--image", "tiny:1", "--format", "json").json(Rollout.self)
        #expect(json.outcome == "completed")
    }

    @Test("as lines of JSON a replacement tells each of its steps, and last what became of it")
    func replacementLines() async throws {
        let kiln = try WorldSession()
        #expect(try await kiln.kiln("up", "-f", kiln.file).status == 0)
        let lines = try await kiln.kiln("replace", "web", "--image", "tiny:2", "--format", "ndjson").output.split(
            separator: "\n"
        )
        #expect(
            lines.contains { $0.contains(#""event":"progress""#) && $0.contains(#""step":"handover""#) },
            "\(lines)"
        )
        #expect(lines.last?.contains(#""outcome":"committed""#) == true)
    }

    @Test("a server is brought up, listed, replaced, looked back at, and taken down with its volume kept")
    func life() async throws {
        let kiln = try WorldSession()
        #expect(try await servers(kiln).isEmpty)
        let up = try await kiln.kiln("up", "-f", kiln.file)
        #expect(up.status == 0 && up.output.contains("shop/web") && up.errors.contains("launch generation 1"))
        #expect(try await servers(kiln).map(\.generation) == [1])

        let replace = try await kiln.kiln("replace", "web", "--image", "tiny:2", "--format", "json")
        #expect(replace.status == 0 && replace.output.contains(#""outcome" : "committed""#), "\(replace)")
        #expect(try await kiln.kiln("ps").output.contains("tiny:2"))
        let shown = try await kiln.kiln("show", "web")
        #expect(
            shown.status == 0 && shown.output.hasPrefix("shop/web  running, untested\n  image: tiny:2 ("),
            "\(shown)"
        )
        #expect(shown.output.contains("declared: tiny:1") && shown.output.contains("volume data: at /data"))
        let history = try await kiln.kiln("history", "web")
        #expect(history.output.contains("tiny:1") && history.output.contains("tiny:2"), "\(history.output)")
        #expect(try await kiln.kiln("stop", "web").status == 0)
        #expect(try await servers(kiln).map(\.state) == ["off"])
        #expect(try await kiln.kiln("start", "web").status == 0)
        let rollback = try await kiln.kiln("rollback", "web")
        #expect(rollback.status == 0 && rollback.output.contains("web generation 3 HANDOVER "), "\(rollback.output)")
        // Its 'ready' list has nothing that could be asked from outside.
        #expect(rollback.output.contains("was not measured: it has no 'http' probe"), "\(rollback.output)")
        #expect(try await servers(kiln).map(\.generation) == [3])

        let down = try await kiln.kiln("down", "shop")
        #expect(down.status == 0 && down.output.contains("data"))
        #expect(try await servers(kiln).isEmpty)
        #expect(try await kiln.kiln("volume", "list").output.contains("shop/data"))
        #expect(kiln.world.hypervisor.alive.isEmpty)
    }

    @Test("a server that is launched is logged in to at the port that is shown, with its own host key")
    func sshWhileLaunching() async throws {
        let kiln = try WorldSession()
        try kiln.world.images.add("slow", GuestBehaviour(.hangs))
        try kiln.declare("tiny:slow", ports: "{ ssh: 22 }")
        let launch = Task { try await kiln.kiln("up", "-f", kiln.file) }
        let workspace = try await kiln.workspace()
        let id = try MemberID(lab: Name("shop"), server: Name("web"))
        while (try? workspace.engine.history(id).open?.replacement.entered.contains(.healthy)) != true {
            try await Task.sleep(for: .milliseconds(2))
        }
        let verb = try #require(try KilnCommand.parseAsRoot(["ssh", "web"]) as? SSHVerb)
        let invocation = try await verb.invocation(workspace)
        let shown = try #require(try await workspace.engine.status(id).ports.values.first?.host)
        #expect(invocation.port == shown && invocation.user == "debian")
        #expect(try String(contentsOfFile: invocation.knownHosts, encoding: .utf8).hasPrefix("kiln ssh-ed25519 HOST"))
        launch.cancel()
        _ = try await launch.value
    }

    @Test("an image that is no good ends with 11, says why for people and programs, and the old one serves")
    func reverted() async throws {
        let kiln = try WorldSession()
        try #require(try await kiln.kiln("up", "-f", kiln.file).status == 0)
        let people = try await kiln.kiln("replace", "web", "--image", "tiny:bad")
        #expect(people.status == 11 && people.errors.contains("cloud-init"), "\(people)")
        let programs = try await kiln.kiln("replace", "web", "--image", "tiny:bad", "--format", "json")
        #expect(programs.status == 11 && programs.output.contains(#""outcome" : "reverted""#))
        #expect(try await servers(kiln).map(\.generation) == [1])
    }

    @Test("a first launch that fails ends with 10 and leaves no machine")
    func launch() async throws {
        let kiln = try WorldSession()
        try kiln.declare("tiny:bad")
        let up = try await kiln.kiln("up", "-f", kiln.file, "--format", "json")
        #expect(up.status == 10)
        #expect(try up.json(Failure.self).error.code == "ready.failed")
        #expect(kiln.world.hypervisor.alive.isEmpty)
    }

    @Test("what is not there is refused by name with 64 or 10, in JSON as well, and changes nothing")
    func missing() async throws {
        let kiln = try WorldSession()
        try #require(try await kiln.kiln("up", "-f", kiln.file).status == 0)
        for (line, status, code) in [
            (["replace", "wbe"], 64, "server.missing"), (["stop", "shop/db"], 64, "server.missing"),
            (["replace", "web", "--image", "tiny:9"], 10, "image.missing"),
            (["rollback", "web", "--to", "9"], 64, "generation.missing"),
            (["logs", "web", "--source", "qemu"], 64, "logs.none"),
        ] as [([String], Int32, String)] {
            let end = try await kiln.run(line + (line[0] == "logs" ? [] : ["--format", "json"]))
            #expect(end.status == status, "\(line): \(end)")
            if line[0] != "logs" { #expect(try end.json(Failure.self).error.code == code, "\(line)") }
        }
        #expect(try await servers(kiln).map(\.generation) == [1])
    }

    @Test("another command that is at work is named with 12")
    func held() async throws {
        let kiln = try WorldSession()
        try #require(try await kiln.kiln("up", "-f", kiln.file).status == 0)
        let lock = try FileLock(kiln.world.state.root + "/labs/shop/servers/web/lock", subject: "server shop/web")
        defer { withExtendedLifetime(lock) {} }
        for line in [["replace", "web"], ["stop", "web"], ["volume", "snapshot", "shop/data"]] {
            let end = try await kiln.run(line)
            #expect(end.status == 12 && end.errors.contains("\(getpid())"), "\(line): \(end)")
        }
    }

    @Test(
        "a volume that a guest has formatted is told by the verbs that keep its content, and with the servers from then on"
    )
    func formatted() async throws {
        let kiln = try WorldSession()
        try #require(try await kiln.kiln("up", "-f", kiln.file).status == 0)
        #expect(try await !kiln.kiln("ps").output.contains("formatted"))
        let machine = try #require(kiln.world.hypervisor.alive.first)
        #expect(kiln.world.hypervisor.write(FakeDisks.format, by: machine))
        let (way, file) = ("'kiln volume restore shop/data before-format'", kiln.world.root + "/exported")
        for line in [
            ["volume", "snapshot", "shop/data"], ["volume", "export", "shop/data", file],
            ["volume", "clone", "shop/data", "copy"],
        ] {
            let end = try await kiln.run(line)
            #expect(end.status == 0 && end.errors.contains(way), "\(line): \(end)")
        }
        for line in [["ps"], ["show", "web"], ["ps", "--format", "json"], ["stop", "web"]] {
            let output = try await kiln.run(line).output
            #expect(output.contains("before-format"), "\(line): \(output)")
        }
    }

    @Test("volumes are sealed, cloned, set aside and brought back by their verbs")
    func volumes() async throws {
        let kiln = try WorldSession()
        try #require(try await kiln.kiln("up", "-f", kiln.file).status == 0)
        #expect(try await kiln.kiln("volume", "snapshot", "shop/data", "first").status == 0)
        #expect(try await kiln.kiln("volume", "show", "shop/data").output.contains("first"))
        #expect(try await kiln.kiln("volume", "clone", "shop/data", "copy").status == 0)
        let refused = try await kiln.kiln("volume", "delete", "shop/data", "--yes")
        #expect(refused.status == 12, "\(refused)")
        let deleted = try await kiln.kiln("volume", "delete", "shop/copy", "--yes")
        #expect(deleted.status == 0, "\(deleted)")
        let kept = try #require(try kiln.world.engine.volumes.retained().first)
        #expect(try await kiln.kiln("volume", "undelete", "\(kept)", "shop/again").status == 0)
        let list = try await kiln.kiln("volume", "list").output
        #expect(list.contains("shop/again") && !list.contains("shop/copy"), "\(list)")
    }
}
