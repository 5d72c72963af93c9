import Foundation
import KilnEngine
import KilnModel
import KilnTestSupport
import Synchronization
import Testing

@testable import KilnScenarios

@Suite("What a run knows and must not tell")
struct RunSecretsTests {
    private static let text = """
        kiln: 1
        name: test
        lab:
          servers:
            web:
              image: tiny:1
              ready: [agent]
              ready-timeout: 100s
              user-data:
                password: 'hunter"22'
                chpasswd: { expire: false, list: "debian:swordfish" }
                users:
                  - { name: app, hashed_passwd: $6$salt$abcdef, lock_passwd: false }
                write_files:
                  - { path: /etc/app.env, content: "MODE=fast\\nDB_PASSWORD=kestrel77\\n" }
                  - { path: /etc/key, permissions: '0600', content: "opaque-key-material\\n" }
            db: { image: 'tiny:1', ready: [agent], ready-timeout: 100s }
        steps:
          - up
          - exec: { server: web, command: [echo, 'the password is kestrel77'], contains: nothing-like-it }
        """
    private static let known = [
        "hunter\"22", "swordfish", "$6$salt$abcdef", "kestrel77", "opaque-key-material",
    ]

    @Test("passwords, keys and tokens of user-data are known, and names, modes and plain settings are not")
    func found() throws {
        let texts = RunSecrets(try read(RunSecretsTests.text)).texts
        for secret in RunSecretsTests.known { #expect(texts.contains(secret), "\(secret)") }
        for word in ["debian", "app", "fast", "MODE=fast", "0600", "/etc/key"] {
            #expect(!texts.contains(word), "\(word)")
        }
    }

    @Test("they are hidden in every form that a document gives them, and private keys wherever they come from")
    func hidden() {
        let secrets = RunSecrets(["a<b\"c", "abc"])
        #expect(secrets.texts == ["a<b\"c"])
        let text = #"plain a<b"c, JSON a<b\"c, XML a&lt;b"c and a&lt;b&quot;c"#
        let mask = RunSecrets.mask
        #expect(
            String(decoding: secrets.hidden(Data(text.utf8)), as: UTF8.self)
                == "plain \(mask), JSON \(mask), XML \(mask) and \(mask)"
        )
        let key = "a\n-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----\nz"
        #expect(secrets.hidden(key) == "a\n\(mask)\nz")
        #expect(secrets.hidden(Data(key.utf8)) == Data("a\n\(mask)\nz".utf8))
        let bytes = Data([0xff, 0x00, 0xfe])
        #expect(secrets.hidden(bytes) == bytes)
    }

    @Test("what a failed run keeps is one folder with all its servers and its events, and none of its secrets")
    func evidence() async throws {
        let world = try FakeWorld()
        try world.images.add("1")
        let events = Mutex<[String]>([])
        let report = try await world.run(RunSecretsTests.text) { event in
            if let line = try? JSONEncoder().encode(event) {
                events.withLock { $0.append(String(decoding: line, as: UTF8.self)) }
            }
            guard case .stepBegan(_, "exec", _, _) = event.kind else { return }
            for machine in world.hypervisor.alive {
                let said = "login: swordfish\npassword hunter\"22 and opaque-key-material\n"
                try? Data(said.utf8).write(to: URL(fileURLWithPath: world.state.consoleLog(machine)))
            }
        }
        #expect(report.outcome == .failed)
        let folder = try #require(report.evidence)
        #expect(folder.hasSuffix("/\(report.lab).run"))
        let names = try FileManager.default.subpathsOfDirectory(atPath: folder)
        for name in [
            "events.ndjson", "web.1/console.log", "web.1/domain.xml", "web.1/journal", "web.1/trace.log",
            "db.1/console.log", "db.1/domain.xml",
        ] { #expect(names.contains(name), "\(name)") }
        let console = try String(contentsOfFile: folder + "/web.1/console.log", encoding: .utf8)
        #expect(console.hasPrefix("login: \(RunSecrets.mask)\n"))
        let kept = names.compactMap { FileManager.default.contents(atPath: "\(folder)/\($0)") }
        let log = try #require(FileManager.default.contents(atPath: world.engine.reports + "/\(report.lab).ndjson"))
        let told = [Data(events.withLock { $0 }.joined(separator: "\n").utf8), try report.json(), log]
        for secret in RunSecretsTests.known {
            for data in kept + told { #expect(data.range(of: Data(secret.utf8)) == nil, "\(secret)") }
        }
        #expect(String(decoding: log, as: UTF8.self).contains("\"run-ended\""))
    }

    @Test("a lab that is kept although it passed has its evidence, too; one that passed and goes has none")
    func passed() async throws {
        let world = try FakeWorld()
        try world.images.add("1")
        let text = scenario(server: "ready: [agent]\nready-timeout: 100s").replacing("tiny", with: "'tiny:1'")
        #expect(try await world.run(text).evidence == nil)
        let kept = try await world.run(text, options: .init(keep: .always, version: "0"))
        let folder = try #require(kept.evidence)
        #expect(kept.outcome == .passed && FileManager.default.fileExists(atPath: folder + "/events.ndjson"))
    }
}
