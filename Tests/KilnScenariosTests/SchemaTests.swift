import Foundation
import KilnModel
import KilnScenarios
import KilnTestSupport
import Testing

@Suite("The schema for editors")
struct SchemaTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Scenarios")

    private let checker = SchemaChecker(ScenarioSchema.document)

    private func problems(_ yaml: String) throws -> [String] { try checker.problems(yaml) }

    @Test("every scenario of the project is read, and follows the schema")
    func scenarios() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: SchemaTests.folder.path)
        #expect(files.contains("replace-keeps-data.yaml") && files.contains("debian-replace.yaml"))
        for file in files where file.hasSuffix(".yaml") {
            let path = SchemaTests.folder.appending(path: file).path
            let scenario = try ScenarioFile.scenario(at: path)
            #expect(scenario.name.text + ".yaml" == file)
            #expect(try problems(String(contentsOfFile: path, encoding: .utf8)).isEmpty)
        }
    }

    @Test("what the decoder takes, the schema takes")
    func full() throws {
        #expect(try problems(ScenarioFileTests.full).isEmpty)
    }

    @Test(
        "what the decoder refuses for its structure, the schema refuses",
        arguments: [
            "colour: red", "processors: 65", "network: opne", "volumes: { data: data }", "volumes: { Data: /data }",
            "ports: { http: 0 }", "ports: { http: { host: 1 } }", "ready: []", "ready: [agnet]",
            "ready: [{ exec: [] }]",
            "ready: [{ http: { port: http } }]", "ready: [{ http: { port: http, path: /, method: get } }]",
            "ready: [{ http: { port: http, path: /, status: 2x } }]",
            "ready: [{ http: { port: http, path: /, status: [] } }]",
            "ready: [{ http: { port: http, path: /, headers: { 'a b': c } } }]",
            "ready: [{ http: { port: http, path: /, tls: false } }]",
            "ready: [{ http: { port: http, path: /, tls: { verify: 1 } } }]", "ready-timeout: 90", "root: gone",
            "strategy: warm",
            "hidden-data: keep", "launch: fast", "launch: [flash]", "verify: []",
            "ready: [{ agent: { successes: 0 } }]", "ready: [{ cloud-init: { failures: 101 } }]",
            "ready: [{ exec: { every: 1s } }]", "warm-ready: [agnet]", "drain: [{ deadline: 1s }]", "after-attach: []",
            "drain: [{ run: [] }]", "min-healthy: 10", "healthy-deadline: 2d", "console-allow: ['']",
            "hold: 10", "connections: 0", "drain-timeout: soon", "ephemeral: [tmp]", "ephemeral: [/]", "keep-roots: 17",
            "max-age: 30", "max-age: 1y", "memory: 256M",
            "ready: [{ service: { running: 1 } }]", "verify: [{ not: { agent: {} } }]",
            "verify: [{ file: { path: /a, eventually: { within: 1s } } }]", "user-data: 'echo'", "user-data-file: []",
            "cpu: x86-64-v9", "cpu: 'max,+avx'", "cpu: []", "disk: 8G", "disk: []",
            "ports: { log: { guest: 514, protocol: sctp } }", "networks: []", "networks: [Lan]", "networks: {}",
            "heal: []", "heal: { after: 5 }", "heal: { at-most: 0 }", "heal: { every: 1s }",
            "autoscale: {}", "autoscale: { max: 0, target: { queue: 1 } }",
            "autoscale: { max: 2, target: { load: 1 } }",
            "heal: { window: { from: '02:00' } }", "heal: { window: { from: '2:00', to: '24:00' } }",
        ]
    )
    func refused(fields: String) throws {
        #expect(try !problems(scenario(server: fields)).isEmpty)
    }

    @Test("the schema uses no keyword that the checker of this test passes over")
    func keywords() {
        #expect(checker.unknownKeywords.isEmpty)
    }
}
