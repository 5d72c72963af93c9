import Foundation
import KilnModel
import KilnTestSupport
import Testing

@testable import KilnScenarios

@Suite("A ledger over SQL, with a program in place of psql", .timeLimit(.minutes(2)))
struct SQLLedgerTests {
    private let folder: TemporaryDirectory
    private let login: SQLLogin

    init() throws {
        folder = try TemporaryDirectory()
        login = SQLLogin(
            database: try #require(SQLName("shop")),
            user: try #require(SQLName("app")),
            password: "secret"
        )
    }

    private func open(_ psql: FakePSQL) async throws -> SQLLedgerConnection {
        try await SQLLedgerConnection.open(login, port: 5432, ledger: try Name("orders"), program: psql.program)
    }

    private let record = LedgerRecord(number: 7, payload: "8f0a-1c")

    @Test("a record whose row comes back is acknowledged, and is there")
    func acknowledged() async throws {
        let psql = try FakePSQL(folder, FakePSQL.honest)
        let connection = try await open(psql)
        #expect(await connection.write(record) == .acknowledged)
        #expect(try await connection.contents() == Array(record.line.utf8))
        await connection.close()
    }

    @Test("the password is no argument, and the host is this one")
    func arguments() async throws {
        let psql = try FakePSQL(folder, FakePSQL.honest)
        await (try await open(psql)).close()
        let arguments = try String(contentsOfFile: psql.rows + ".arguments", encoding: .utf8)
        #expect(arguments.contains("--host=127.0.0.1\n--port=5432\n--username=app\n--dbname=shop\n"))
        #expect(!arguments.contains("secret"))
        #expect(try String(contentsOfFile: psql.rows + ".password", encoding: .utf8) == "secret")
    }

    @Test(
        "another answer, many words, or a session that ends acknowledge nothing",
        arguments: [
            "echo 8 00000000", "echo 7", "", "printf '7 %s\\n7 %s\\n' a a", "exit 3", "head -c 200000 /dev/zero",
            "yes | head -c 300000", "printf '\\377\\033[2J\\n'",
        ]
    )
    func unknown(words: String) async throws {
        let connection = try await open(try FakePSQL(folder, "case $line in INSERT*) \(words) ;; esac"))
        let outcome = await connection.write(record)
        #expect(outcome != .acknowledged, "\(outcome)")
        await connection.close()
    }

    @Test("an error ends the session, and its words are the reason, made harmless")
    func error() async throws {
        let psql = try FakePSQL(folder, "printf 'ERROR:  no \\033[31mroom\\n' >&2; exit 3")
        let error = await #expect(throws: KilnError.self) { try await open(psql) }
        #expect(error?.code == .sqlFailed)
        #expect(error?.message.contains("no \u{fffd}[31mroom") == true, "\(error?.message ?? "")")
    }

    @Test("a statement of which nothing is heard ends with its session")
    func silent() async throws {
        let psql = try FakePSQL(folder, "case $line in INSERT*) exec sleep 600 ;; esac")
        let session = try await SQLSession.open(login, port: 5432, program: psql.program)
        let start = ContinuousClock.now
        await #expect(throws: KilnError.self) {
            try await session.lines(of: "INSERT 1;", within: .milliseconds(200))
        }
        await #expect(throws: KilnError.self) { try await session.lines(of: "SELECT 1;", within: .seconds(10)) }
        await session.close()
        #expect(.now - start < .seconds(60))
    }

    @Test("a host without psql is told so")
    func missing() async throws {
        let error = await #expect(throws: KilnError.self) {
            try await SQLSession.open(login, port: 5432, program: "kiln-no-such-psql")
        }
        #expect(error?.code == .toolMissing)
    }

    @Test("a name that psql could take for a connection, an option or two words is none")
    func names() {
        let refused = [
            "", "-h", "host=evil", "postgres://evil", "a b", "a\"b", "ä", "a\n", String(repeating: "a", count: 64),
        ]
        #expect(refused.allSatisfy { SQLName($0) == nil })
        #expect(SQLName("shop_2-a")?.quoted == "\"shop_2-a\"")
    }

    @Test("sessions that end in between lose nothing, and records have a number each")
    func sessions() async throws {
        // At every tenth row the session is over before it answers.
        let commands = """
            case $line in
            INSERT*0,*) exit 3 ;;
            *) \(FakePSQL.honest) ;;
            esac
            """
        let psql = try FakePSQL(folder, commands)
        let (login, program, name) = (login, psql.program, try Name("orders"))
        let open = { @Sendable in
            try await SQLLedgerConnection.open(login, port: 5432, ledger: name, program: program)
        }
        let path = ServicePath(
            open: open,
            read: { Array(try Data(contentsOf: URL(filePath: psql.rows))) },
            connections: 3,
            pace: RecordPace(.milliseconds(2))
        )
        let session = try LedgerSession(name, of: name, path, list: folder.path + "/acknowledged") { .zero }
        try await session.start()
        try await session.awaitRecords(25)
        let verdict = try await session.verdict()
        #expect(verdict.isClean && verdict.acknowledged >= 25, "\(verdict)")
    }
}
