import Foundation
import KilnHost
import KilnModel
import KilnSystem
import KilnTestSupport
import Synchronization
import Testing

@testable import KilnScenarios

@Suite("A ledger over HTTP, with a real client and server", .timeLimit(.minutes(2)))
struct HTTPLedgerTests {
    private let record = LedgerRecord(number: 7, payload: "8f0a1c")
    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    private func service(_ method: LedgerService.Method = .post, echo: String = "{checksum}") throws -> LedgerService {
        LedgerService(
            port: try Name("http"),
            method: method,
            path: method == .put ? "/records/{number}" : "/records",
            echo: echo,
            contents: .path("/records")
        )
    }

    private func outcome(_ service: LedgerService, saying text: String?) async throws -> WriteOutcome {
        let server = try KeptServer { _ in text }
        let connection = HTTPLedgerConnection(service: service, port: server.port, network: LoopbackProbe())
        let outcome = await connection.write(record)
        // It may be there or not: nobody sends it a second time.
        #expect(server.requests.count == 1)
        #expect(server.requests.first?.body == record.line)
        return outcome
    }

    @Test("a status of 2xx with the record's checksum acknowledges it")
    func acknowledged() async throws {
        let digits = record.acknowledgement.digits
        #expect(try await outcome(service(), saying: KeptServer.answer(200, "7 \(digits)")) == .acknowledged)
        #expect(try await outcome(service(.put), saying: KeptServer.answer(201, digits)) == .acknowledged)
        let own = try service(echo: "\"id\": {number}}")
        #expect(try await outcome(own, saying: KeptServer.answer(201, "{\"id\": 7}")) == .acknowledged)
    }

    @Test(
        "nothing else does",
        arguments: [
            KeptServer.answer(200, ""), KeptServer.answer(200, "8 00000000"), KeptServer.answer(503, "DIGITS"),
            KeptServer.answer(302, "DIGITS"), "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nDIGITS", "DIGITS\r\n\r\n",
            "HTTP/1.1 200 OK\r\nX: " + String(repeating: "x", count: 100_000) + "\r\n\r\nDIGITS", nil,
        ]
    )
    func unknown(text: String?) async throws {
        let answer = text?.replacing("DIGITS", with: record.acknowledgement.digits)
        // A cut-off answer ends with its connection.
        let server = try TestServer { peer in _ = answer.map { peer.send($0) } }
        let connection = HTTPLedgerConnection(service: try service(), port: server.port, network: LoopbackProbe())
        let outcome = await connection.write(record)
        #expect(outcome != .acknowledged, "\(outcome)")
    }

    @Test("records of several connections have numbers of their own, and a service that fails in between loses none")
    func session() async throws {
        let held = Mutex<[String]>([])
        let count = Mutex(0)
        let server = try KeptServer { request in
            if request.line.hasPrefix("GET") {
                return KeptServer.answer(200, "{\"notes\": [\"\(held.withLock { $0.joined(separator: "\", \"") })\"]}")
            }
            let number = count.withLock { count in
                count += 1
                return count
            }
            if number.isMultiple(of: 10) { return number.isMultiple(of: 20) ? nil : KeptServer.answer(503, "busy") }
            held.withLock { $0.append(request.body) }
            return KeptServer.answer(201, request.body)
        }
        let result = try await result(server, try service(), records: 40)
        #expect(result.verdict.acknowledged >= 40 && result.verdict.isClean, "\(result.description)")
        let sent = server.requests.filter { $0.line.hasPrefix("POST") }.map(\.body)
        #expect(Set(sent).count == sent.count)
        // Connections are kept.
        #expect(Set(server.requests.map(\.connection)).count < server.requests.count / 2)
    }

    @Test("a service that acknowledges and forgets is found out")
    func forgetful() async throws {
        let held = Mutex<[String]>([])
        let server = try KeptServer { request in
            if request.line.hasPrefix("GET") {
                return KeptServer.answer(200, held.withLock { $0.joined(separator: "\n") })
            }
            if !request.body.hasPrefix("R 5 ") { held.withLock { $0.append(request.body) } }
            if request.body.hasPrefix("R 30 ") { held.withLock { $0.append(request.body) } }
            return KeptServer.answer(200, request.body)
        }
        let result = try await result(server, try service(), records: 40)
        #expect(result.verdict.lost == 1 && result.verdict.duplicated == 1, "\(result.description)")
        #expect(result.firstBad?.number == 5 && result.firstBad?.fault == .lost)
        #expect(result.firstBad?.acknowledged?.step == "write-ledger")
    }

    @Test("what can't be read whole is an error, not a loss")
    func unreadable() async throws {
        let service = try service()
        let answers = [
            KeptServer.answer(200, String(repeating: "R 1 a 00000000\n", count: 100_000)), KeptServer.answer(500, ""),
        ]
        for answer in answers {
            let server = try KeptServer { _ in answer }
            let error = await #expect(throws: KilnError.self) {
                try await service.contents(at: "/records", on: server.port, LoopbackProbe())
            }
            #expect(error?.code == .ledgerUnreadable)
        }
    }

    /// Writes so many records over four connections, and judges.
    private func result(_ server: KeptServer, _ service: LedgerService, records: Int) async throws -> LedgerResult {
        let port = server.port
        let path = ServicePath(
            open: { HTTPLedgerConnection(service: service, port: port, network: LoopbackProbe()) },
            read: { try await service.contents(at: "/records", on: port, LoopbackProbe()) },
            connections: 4,
            pace: RecordPace(.milliseconds(1))
        )
        let start = ContinuousClock.now
        let list = folder.path + "/acknowledged"
        let session = try LedgerSession(try Name("orders"), of: try Name("web"), path, list: list) { .now - start }
        try await session.start()
        try await session.awaitRecords(records)
        let steps = [StepSpan(name: "write-ledger", start: .zero)]
        return try await session.result(among: steps) { LedgerFacts() }
    }
}
