import Foundation
import KilnDocuments
import KilnEngine
import KilnModel
import KilnTestSupport
import Synchronization
import Testing

@testable import KilnScenarios

@Suite("External services of a scenario, on fakes")
struct ExternalTests {
    private let world: FakeWorld
    private static let secret = FakeExternals.password

    init() throws {
        world = try FakeWorld()
        for version in ["1", "2"] { try world.images.add(version) }
    }

    private func text(
        _ external: String = "{ db: { postgres: { database: notes, user: app } } }",
        server: String = "image: 'tiny:1'",
        steps: [String] = ["up"]
    ) -> String {
        """
        kiln: 1
        name: test
        external: \(external)
        lab:
          servers:
            web: { \(server) }
        steps:
        \(steps.map { "  - \($0)" }.joined(separator: "\n"))
        """
    }

    private static func seed(_ world: FakeWorld) throws -> String {
        let engine = world.engine
        let server = try #require(try engine.members().first)
        return try #require(world.seeds.files(world.state.seed(try engine.machine(server)))?["user-data"])
    }

    @Test("what is not said is as the service is called, and the newest version")
    func defaults() throws {
        let scenario = try KilnScenariosTests.read(text("{ db: { postgres: {} } }"))
        #expect(scenario.externals == [try Name("db"): .postgres(PostgresSpec(database: "db", user: "db"))])
        let other = try KilnScenariosTests.read(text("{ db: { postgres: { version: 15, database: shop } } }"))
        #expect(
            other.externals == [
                try Name("db"): .postgres(PostgresSpec(version: 15, database: "shop", user: "shop"))
            ]
        )
        #expect(try KilnScenariosTests.read(KilnScenariosTests.scenario()).externals.isEmpty)
    }

    @Test(
        "what can't be a service is refused where it stands",
        arguments: [
            ("{}", "external: expected at least one service"), ("[db]", "external: expected a map of services"),
            ("{ db: {} }", "external.db: the field 'postgres' is missing"),
            ("{ db: { mysql: {} } }", "external.db.mysql: unknown field"),
            ("{ db: { postgres: 15 } }", "external.db.postgres: expected a map"),
            ("{ db: { postgres: { command: rm } } }", "external.db.postgres.command: unknown field"),
            ("{ db: { postgres: { version: 8 } } }", "expected a whole number from 14 to 99"),
            ("{ db: { postgres: { version: '15' } } }", "expected a whole number from 14 to 99"),
            ("{ db: { postgres: { user: \"a'; DROP\" } } }", "expected 1 to 63 letters"),
            ("{ db: { postgres: { user: kiln } } }", "no name of PostgreSQL's or Kiln's own"),
            ("{ db: { postgres: { user: pg_monitor } } }", "no name of PostgreSQL's or Kiln's own"),
            ("{ db: { postgres: { database: template1 } } }", "no name of PostgreSQL's or Kiln's own"),
            ("{ postgres: { postgres: {} } }", "the database 'postgres' is PostgreSQL's or Kiln's own"),
            ("{ web: { postgres: {} } }", "'web' is a server already"),
            ("{ Db: { postgres: {} } }", "expected a name"),
        ]
    )
    func refused(external: String, words: String) throws {
        let found = try problems(text(external))
        #expect(found.contains { $0.contains(words) }, "\(found)")
    }

    @Test("a lab file has none")
    func labFile() throws {
        let lab = "kiln: 1\nname: a\nexternal: { db: { postgres: {} } }\nlab: { servers: { web: { image: tiny } } }\n"
        #expect(try problems(lab).contains { $0.contains("it is for scenarios") })
    }

    @Test(
        "a name that nobody declared, a field that there is not, and a place that is read before are refused",
        arguments: [
            ("note: '${external.dc.url}'", "did you mean"), ("note: '${external.db.uri}'", "expected ${external.NAME"),
            ("exec: { server: web, command: [a, '${external.db}'] }", "expected ${external.NAME"),
            ("exec: { server: web, command: 'a ${external.x.url}' }", "expected the name of a service"),
            ("replace: { server: web, image: '${external.db.url}' }", "can't stand here"),
            ("write-ledger: { external: dc }", "expected the name of a service"),
            ("write-ledger: { external: db, path: /data/x }", "expected none of path, http, sql"),
            ("write-ledger: { external: db, server: web }", "found both"),
            ("write-ledger: { rate: 1 }", "found neither"),
            ("verify-ledger: { external: db }", "no ledger of 'db' is being written"),
            ("bank: { external: db, sql: { port: a, database: b, user: c } }", "expected 'sql' or 'external'"),
            ("bank: { server: web }", "the field 'sql' is missing"),
        ]
    )
    func badUse(step: String, words: String) throws {
        let found = try problems(text(steps: ["up", step]))
        #expect(found.contains { $0.contains(words) }, "\(found)")
    }

    @Test("an isolated server can't reach it, and what the lab is made of can't name it")
    func unreachable() throws {
        let isolated = try problems(
            text(
                server: "image: tiny, network: isolated, user-data: { runcmd: ['a ${external.db.host}'] }",
                steps: ["up", "exec: { server: web, command: [a, '${external.db.url}'] }"]
            )
        )
        #expect(isolated.filter { $0.contains("'web' is isolated") }.count == 2, "\(isolated)")
        let probe = try problems(text(server: "image: tiny, ready: [{ exec: [a, '${external.db.url}'] }]"))
        #expect(probe.contains { $0.contains("can stand in user-data and in texts of steps") }, "\(probe)")
    }

    @Test("in a file without any, such words mean themselves, and user-data gets a warning")
    func literal() throws {
        let file = scenario(server: "user-data: { runcmd: ['a ${external.db.url} ${external.x}'] }")
        let read = try KilnScenariosTests.read(file)
        #expect(read.warnings.map(\.message).filter { $0.contains("the file declares no 'external'") }.count == 1)
        #expect(try problems(scenario(steps: "[up, { note: '${external.db.url}' }]")).isEmpty)
    }

    @Test("it is there before the first step, guests are told of it, and it goes with the run")
    func life() async throws {
        let world = world
        let seen = Mutex<[String]>([])
        let steps = [
            "exec: { server: web, command: [echo, '${external.db.url}'], contains: '${external.db.port}' }",
            "exec: { server: web, command: 'echo ${external.db.user}', contains: app }", "note: 'all of it'",
        ]
        let data = "image: 'tiny:1', user-data: { runcmd: ['use ${external.db.url}'] }"
        let report = try await world.run(text(server: data, steps: ["up"] + steps)) { event in
            guard case .stepBegan(let id, let kind, _, _) = event.kind else { return }
            if id.numbers == [1] { seen.withLock { $0.append("running \(world.externals.running.count)") } }
            if kind == "note", let seed = try? ExternalTests.seed(world) { seen.withLock { $0.append(seed) } }
        }
        #expect(report.outcome == .passed, "\(report)")
        let told = seen.withLock { $0 }
        #expect(told.first == "running 1")
        let seed = try #require(told.last)
        #expect(seed.contains("use postgresql://app:\(Self.secret)@10.0.2.2:21001/notes"), "\(seed)")
        #expect(seed.contains(#"10.0.2.2 db\n"#), "its name is in /etc/hosts")
        #expect(world.externals.running.isEmpty && world.externals.ended.map(\.name.text) == ["db"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: world.state.runs).isEmpty)
    }

    @Test("its password is in nothing that a run tells or keeps, but in what guests get")
    func secrets() async throws {
        let told = Mutex<[String]>([])
        let steps = [
            "up", "note: 'it is ${external.db.password}'",
            "exec: { server: web, command: [echo, '${external.db.url}'], contains: nowhere }",
        ]
        let report = try await world.run(text(steps: steps)) { event in
            told.withLock { $0.append("\(event)") }
        }
        #expect(report.outcome == .failed)
        #expect(
            report.steps[1].detail == "it is [redacted]" && report.steps[2].detail?.contains(":[redacted]@") == true
        )
        #expect(report.error?.message.contains(":[redacted]@") == true, "\(report)")
        #expect(!"\(report)".contains(Self.secret) && !told.withLock { $0 }.joined().contains(Self.secret))
        let files = try #require(report.files)
        #expect(try String(contentsOfFile: "\(files)/external-db.log", encoding: .utf8) == "it said [redacted]\n")
    }

    @Test("one that can't be started ends the run before its first step, and what was started goes")
    func notStarted() async throws {
        world.externals.refuse(
            KilnError(
                .externalMissing,
                "needs PostgreSQL 17",
                hint: "apt-get install postgresql-17",
                exit: .unreachable
            )
        )
        let report = try await world.run(text())
        #expect(report.outcome == .error && report.exit == .unreachable && report.error?.code == "external.missing")
        #expect(report.steps.map(\.outcome) == [.skipped])
        #expect(world.hypervisor.alive.isEmpty && world.externals.running.isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: world.state.runs).isEmpty)
    }

    @Test("a ledger and a bank go to it without any server, as its user")
    func ledger() async throws {
        let steps = [
            "write-ledger: { external: db, rate: 50 }", "bank: { external: db, ledger: money }", "up",
            "verify-ledger: { external: db }", "verify-ledger: { external: db, ledger: money }",
        ]
        #expect(try problems(text(steps: steps)).isEmpty)
        let engine = world.engine
        let lab = try Name("lab")
        let spec = ExternalSpec.postgres(PostgresSpec(database: "notes", user: "app"))
        let started = try await engine.startExternals([try Name("db"): spec], of: lab)
        let (login, port) = try await engine.database(nil, of: MemberID(lab: lab, server: try Name("db")))
        #expect(port == started[try Name("db")]?.port && login.password == Self.secret)
        #expect(login.database.text == "notes" && login.user.text == "app")
        try await engine.endExternals(of: lab)
        let error = await #expect(throws: KilnError.self) {
            try await engine.database(nil, of: MemberID(lab: lab, server: try Name("db")))
        }
        #expect(error?.code == .externalFailed)
    }

    @Test("what a killed run left is named by gc, and ended")
    func killed() async throws {
        let engine = world.engine
        let name = try await {
            let killed = try await RunLab.make(for: try Name("killed"), engine: engine)
            let spec = ExternalSpec.postgres(PostgresSpec(database: "a", user: "b"))
            _ = try await engine.startExternals([try Name("db"): spec], of: killed.name)
            return killed.name
        }()
        let expected = ["run \(name)", "external \(name)/db"]
        #expect(Array(try await engine.collectGarbage(dryRun: true).prefix(2)) == expected)
        #expect(world.externals.running.count == 1)
        #expect(Array(try await engine.collectGarbage().prefix(2)) == expected)
        #expect(world.externals.running.isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: world.state.runs).isEmpty)
    }

    @Test("of a lab that is kept it goes all the same, at the latest by gc")
    func kept() async throws {
        let engine = world.engine
        let spec = ExternalSpec.postgres(PostgresSpec(database: "a", user: "b"))
        let name = try await {
            let run = try await RunLab.make(for: try Name("kept"), engine: engine)
            _ = try await engine.startExternals([try Name("db"): spec], of: run.name)
            _ = try await engine.up(try read(text()).lab.named(run.name))
            try run.keep()
            return run.name
        }()
        #expect(try await engine.collectGarbage().contains("external \(name)/db"))
        #expect(world.externals.running.isEmpty && world.hypervisor.alive.count == 1)
    }

    @Test("how it is reached is written down for nobody else")
    func mode() async throws {
        let id = ExternalID(lab: try Name("lab"), name: try Name("db"))
        let access = ExternalAccess(port: 1, user: "a", password: "b", database: "c")
        try FileManager.default.createDirectory(
            atPath: world.state.external(id),
            withIntermediateDirectories: true
        )
        try ExternalAccess.write(access, for: id, in: world.state)
        let attributes = try FileManager.default.attributesOfItem(atPath: world.state.external(id) + "/access.json")
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }
}
