import Foundation
import KilnDocuments
import KilnEngine
import KilnModel
import Testing

@testable import KilnScenarios

@Suite("Reading a scenario")
struct ScenarioFileTests {
    static let full = """
        kiln: 1
        name: full
        about: Everything at once.
        lab:
          images: attested
          volumes:
            data: { size: 256MiB, filesystem: ext4 }
          servers:
            web:
              image: tiny:2
              memory: 256MiB
              processors: 2
              cpu: x86-64-v3
              disk: 20GiB
              volumes: { data: /data }
              ports: { http: 80, admin: { guest: 8080, host: 18080 } }
              user-data: { runcmd: [[echo, "${servers.web.ports.http}", "${HOME}", "a*b"]], ssh_pwauth: no }
              ready:
                - agent
                - cloud-init: { allow-degraded: true }
                - http: { port: http, path: /health, status: 204, contains: ok }
                - tcp: { port: admin, send: ping, expect: pong }
                - exec: test -e /data
                - exec: [/bin/true, ""]
              ready-timeout: 90s
              stop-timeout: 500ms
              network: isolated
              root: volatile
              strategy: warm-first
              warm-ready:
                - agent: { every: 250ms, timeout: 5s, successes: 2, failures: 4, hint: look at the console }
                - cloud-init: { timeout: 1m }
              verify:
                - http: { port: http, path: /, every: 1s, successes: 3 }
                - http:
                    port: admin
                    path: /jobs?dry=1
                    method: POST
                    headers: { Host: app.example, X-Empty: "" }
                    body: "{}"
                    status: [202, 3xx]
                    tls: { verify: false, server-name: app.example }
                - tcp: { port: admin, expect: pong, failures: 1 }
                - exec: { run: [/bin/check, --all], timeout: 30s, hint: restore the backup }
              drain: [sync, [/bin/leave, --now], { run: "leave; wait", deadline: 10s }]
              after-attach: [{ run: [/bin/reload] }]
              min-healthy: 10s
              healthy-deadline: 2m
              console-allow: ["Call Trace:", harmless]
              ephemeral: [/srv/cache, /var/tmp]
              keep-roots: 0
              hidden-data: abort
              launch: flash
              max-age: 30d
              hold: 30s
              connections: 4
              drain-timeout: 5s
        steps:
          - up
          - exec: { server: web, command: "cat /x", exit: 1, contains: no such }
          - write-ledger: { server: web, path: /data/ledger }
          - replace: { server: web, image: tiny:3, outcome: reverted }
          - replace: { server: web, strategy: stop-first, data-on-revert: restore, force-stop: true, rehearse: true, outcome: halted }
          - rollback: { server: web, to: 1, outcome: aborted }
          - volume-snapshot: { volume: data, name: before }
          - volume-snapshot: { volume: data }
          - verify-ledger: { server: web, records-at-least: 10 }
          - stop: [web]
          - start: all
          - expect: { server: web, generation: 1, ready: true, image: tiny:2, http: { port: http, path: /, tls: true, status: 2xx, timeout: 5s }, drift: none }
          - down:
        """

    @Test("every field reaches the model")
    func everyField() throws {
        let scenario = try read(ScenarioFileTests.full.replacing("${servers.web.ports.http}", with: "x"))
        let web = try Name("web")
        let server = try #require(scenario.lab.servers[web])
        #expect(scenario.lab.name.text == "full" && scenario.lab.images == .attested)
        #expect(scenario.lab.volumes == [try Name("data"): VolumeSpec(size: .mebibytes(256))])
        #expect(server.image.description == "tiny:2")
        #expect(server.memory == .mebibytes(256))
        #expect(server.cpu == .level3)
        #expect(server.disk == .mebibytes(20 << 10))
        #expect(server.processors == 2)
        #expect(server.volumes == [try Name("data"): "/data"])
        #expect(server.ports[try Name("http")] == PortSpec(guest: 80))
        #expect(server.ports[try Name("admin")] == PortSpec(guest: 8080, host: 18080))
        #expect(server.userData?["ssh_pwauth"] == .bool(false))
        #expect(server.userData?["runcmd"]?.array?.first?.array?.last == .string("a*b"))
        #expect(server.readyTimeout == .seconds(90))
        #expect(server.stopTimeout == .milliseconds(500))
        #expect(server.front == FrontSpec(hold: .seconds(30), connections: 4, drainTimeout: .seconds(5)))
        #expect(server.heldPorts == [try Name("http"): true, try Name("admin"): false])
        #expect(server.network == .isolated)
        #expect(
            server.ready.map(\.probe) == [
                .agent, .cloudInit(allowDegraded: true),
                .http(HTTPProbe(port: try Name("http"), path: "/health", status: HTTPStatuses(204), contains: "ok")),
                .tcp(port: try Name("admin"), send: "ping", expect: "pong"),
                .exec(["/bin/sh", "-c", "test -e /data"]), .exec(["/bin/true", ""]),
            ]
        )
    }

    @Test("how a server is replaced reaches the model")
    func replacement() throws {
        let scenario = try read(ScenarioFileTests.full.replacing("${servers.web.ports.http}", with: "x"))
        let server = try #require(scenario.lab.servers[try Name("web")])
        let http = try Name("http")
        let admin = try Name("admin")
        #expect(server.root == .volatile)
        #expect(server.strategy == .warmFirst)
        #expect(
            server.warmReady == [
                Check(
                    .agent,
                    every: .milliseconds(250),
                    timeout: .seconds(5),
                    successes: 2,
                    failures: 4,
                    hint: "look at the console"
                ),
                Check(.cloudInit(), timeout: .seconds(60)),
            ]
        )
        #expect(
            server.verify == [
                Check(.http(HTTPProbe(port: http, path: "/")), every: .seconds(1), successes: 3),
                Check(
                    .http(
                        HTTPProbe(
                            port: admin,
                            path: "/jobs?dry=1",
                            method: .post,
                            headers: ["Host": "app.example", "X-Empty": ""],
                            body: "{}",
                            tls: HTTPProbe.TLS(isVerified: false, serverName: "app.example"),
                            status: try #require(HTTPStatuses(["202", "3xx"]))
                        )
                    )
                ),
                Check(.tcp(port: admin, expect: "pong"), failures: 1),
                Check(.exec(["/bin/check", "--all"]), timeout: .seconds(30), hint: "restore the backup"),
            ]
        )
        #expect(
            server.drain == [
                Hook(["/bin/sh", "-c", "sync"]), Hook(["/bin/leave", "--now"]),
                Hook(["/bin/sh", "-c", "leave; wait"], deadline: .seconds(10)),
            ]
        )
        #expect(server.afterAttach == [Hook(["/bin/reload"])])
        #expect(server.minHealthy == .seconds(10))
        #expect(server.healthyDeadline == .seconds(120))
        #expect(server.consoleAllow == ["Call Trace:", "harmless"])
        #expect(server.ephemeral == ["/srv/cache", "/var/tmp"])
        #expect(server.keepRoots == 0 && server.hiddenData == .abort && server.launch == .flash)
        #expect(server.maxAge == .seconds(30 * 86_400))
    }

    @Test("what a file does not say has the model's defaults")
    func defaults() throws {
        let server = try #require(try read(scenario()).lab.servers[try Name("web")])
        #expect(server == ServerSpec(image: try ImageReference("tiny")))
    }

    @Test("every step reaches the model")
    func everyStep() throws {
        let scenario = try read(ScenarioFileTests.full.replacing("${servers.web.ports.http}", with: "x"))
        let web = try Name("web")
        let probe = HTTPProbe(
            port: try Name("http"),
            path: "/",
            tls: HTTPProbe.TLS(),
            status: try #require(HTTPStatuses(["2xx"]))
        )
        let actions = scenario.steps.map(\.action)
        #expect(
            scenario.steps.map(\.description) == [
                "up web", "exec web", "write-ledger web", "replace web by tiny:3", "replace web, stop-first",
                "rollback web to 1", "snapshot data as before", "snapshot data", "verify-ledger web", "stop web",
                "start web",
                "expect web", "down",
            ]
        )
        let exec = try #require(actions[1] as? ExecStep)
        #expect(exec.arguments.map(\.text) == ["/bin/sh", "-c", "cat /x"])
        #expect(exec.exit == 1 && exec.contains?.text == "no such")
        let ledger = try #require(actions[2] as? WriteLedgerStep)
        let path = LedgerPlan.Path.agent(file: "/data/ledger")
        #expect(ledger.plan == LedgerPlan(name: web, server: web, path: path, rate: nil, connections: 1))
        let first = try #require(actions[3] as? ReplaceStep)
        #expect(first.options == ReplaceOptions(image: try ImageReference("tiny:3")) && first.outcome == .reverted)
        let second = try #require(actions[4] as? ReplaceStep)
        let told = ReplaceOptions(strategy: .stopFirst, dataOnRevert: .restore, forceStop: true, rehearsesFirst: true)
        #expect(second.options == told && second.outcome == .halted)
        let back = try #require(actions[5] as? RollbackStep)
        #expect(back.generation == Generation(1) && back.outcome == .aborted)
        #expect((actions[8] as? VerifyLedgerStep)?.recordsAtLeast == 10)
        let expected = try #require(actions[11] as? ExpectStep)
        #expect(expected.generation == Generation(1) && expected.ready && expected.isUndrifted)
        #expect(expected.image == (try ImageReference("tiny:2")))
        #expect(expected.http == HTTPExpectation(probe: probe, timeout: .seconds(5)))
        #expect(scenario.steps[3].place.position == Position(line: 62, column: 5))
    }

    @Test("a cloud-config text is read as the map it holds")
    func cloudConfigText() throws {
        let fields = "user-data: |\n  #cloud-config\n  write_files:\n    - { path: /a, permissions: 0644 }\n"
        let data = try read(scenario(server: fields)).lab.servers[try Name("web")]?.userData
        let expected: JSONValue = ["write_files": [["path": "/a", "permissions": "0644"]]]
        #expect(data == expected)
    }

    @Test("the certificates of those who are trusted are read with the file that names theirs")
    func certificates() throws {
        let fields = "ports: { https: 443 }\nready: [{ http: { port: https, path: /, tls: { ca: ca.pem } } }]"
        try withFolder { folder in
            let file = folder.appending(path: "lab.yaml")
            try Data(scenario(server: fields).utf8).write(to: file)
            let missing = #expect(throws: InvalidFile.self) { try ScenarioFile.lab(at: file.path) }
            #expect(missing?.problems.map(\.file) == [folder.appending(path: "ca.pem").path])
            #expect(missing?.problems.first?.message.contains("can't be read") == true)
            try Data("a key".utf8).write(to: folder.appending(path: "ca.pem"))
            let other = #expect(throws: InvalidFile.self) { try ScenarioFile.lab(at: file.path) }
            #expect(other?.problems.first?.message.contains("expected certificates as PEM") == true)
            let certificate = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"
            try Data(certificate.utf8).write(to: folder.appending(path: "ca.pem"))
            let probe = try ScenarioFile.lab(at: file.path).lab.servers[try Name("web")]?.ready.first?.probe
            let tls = HTTPProbe.TLS(authorities: certificate)
            #expect(probe == .http(HTTPProbe(port: try Name("https"), path: "/", tls: tls)))
        }
    }

    @Test("a scenario takes its lab from another file but keeps its own name")
    func labFile() throws {
        try withFolder { folder in
            let lab = "kiln: 1\nname: other\nlab: { servers: { web: { image: tiny } } }\n"
            try Data(lab.utf8).write(to: folder.appending(path: "lab.yaml"))
            let file = folder.appending(path: "scenario.yaml")
            try Data("kiln: 1\nname: mine\nlab: lab.yaml\nsteps: [up]\n".utf8).write(to: file)
            let scenario = try ScenarioFile.scenario(at: file.path)
            #expect(scenario.lab.name.text == "mine")
            #expect(scenario.lab.servers.keys.map(\.text) == ["web"])
            #expect(try ScenarioFile.lab(at: folder.appending(path: "lab.yaml").path).name.text == "other")
        }
    }

    @Test("problems of a lab file that a scenario names carry that file's name")
    func labFileProblems() throws {
        try withFolder { folder in
            try Data("kiln: 1\nname: other\nlab: { servers: {} }\n".utf8).write(to: folder.appending(path: "lab.yaml"))
            let file = folder.appending(path: "scenario.yaml")
            try Data("kiln: 1\nname: mine\nlab: lab.yaml\nsteps: [up]\n".utf8).write(to: file)
            let error = #expect(throws: InvalidFile.self) { try ScenarioFile.scenario(at: file.path) }
            #expect(error?.problems.map { $0.file.hasSuffix("/lab.yaml") } == [true])
            #expect(error?.kilnError.exit == .invalidFile)
            #expect(error?.kilnError.code == .fileInvalid)
        }
    }

    @Test("only regular files are read", arguments: ["/dev/zero", "/no/such/file", "/tmp", "/etc/os-release/x"])
    func irregular(path: String) throws {
        #expect(throws: InvalidFile.self) { try ScenarioFile.scenario(at: path) }
    }

    @Test("a lab file is no scenario")
    func noSteps() throws {
        let found = try problems("kiln: 1\nname: a\nlab: { servers: { web: { image: tiny } } }\n")
        #expect(found == ["1:1: the field 'steps' is missing: expected a scenario, found a lab file"])
    }
}
