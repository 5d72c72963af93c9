import KilnEngine
import KilnHost
import KilnModel
import KilnSystem
import KilnTestSupport
import Testing

@Suite("One request and what comes of it", .timeLimit(.minutes(1)))
struct ExchangeTests {
    private let request: HTTPProbe

    init() throws { request = HTTPProbe(port: try Name("http"), path: "/") }

    private func exchange(
        _ port: UInt16,
        over connection: ConnectionUse = .new,
        within limit: Duration = .seconds(10)
    ) async -> Result<HTTPAnswer, NoAnswer> {
        await LoopbackProbe().exchange(request, on: port, over: connection, within: limit)
    }

    private func kind(_ server: TestServer, within limit: Duration = .seconds(10)) async -> NoAnswer.Kind? {
        // It ends with its last reference.
        defer { withExtendedLifetime(server) {} }
        return await kind(server.port, within: limit)
    }

    private func kind(_ port: UInt16, within limit: Duration = .seconds(10)) async -> NoAnswer.Kind? {
        guard case .failure(let failure) = await exchange(port, within: limit) else { return nil }
        return failure.kind
    }

    @Test("an answer is given whatever it says, with the fields of its header in lower case")
    func answer() async throws {
        let server = try TestServer(saying: "HTTP/1.1 503 X\r\nX-Version: 7\r\nContent-Length: 4\r\n\r\nbusy")
        let answer = try await exchange(server.port).get()
        #expect(answer.status == 503 && answer.headers["x-version"] == "7" && answer.body == Array("busy".utf8))
    }

    @Test("a kept connection serves again, and a new one is never kept")
    func connections() async throws {
        let server = try KeptServer { _ in KeptServer.answer(200, "ok") }
        for connection in [ConnectionUse.kept, .kept, .new, .new, .kept] {
            _ = try await exchange(server.port, over: connection).get()
        }
        #expect(server.requests.map(\.connection) == [1, 1, 2, 3, 1])
    }

    @Test("a request whose kept connection breaks is not made a second time")
    func noRetry() async throws {
        let server = try KeptServer { $0.connection == 1 && $0.body == "" ? nil : KeptServer.answer(200, "ok") }
        let first = HTTPProbe(port: request.port, path: "/", method: .post, body: "a")
        let probe = LoopbackProbe()
        _ = try await probe.exchange(first, on: server.port, over: .kept, within: .seconds(10)).get()
        guard case .failure(let failure) = await exchange(server.port, over: .kept) else {
            Issue.record("an answer")
            return
        }
        #expect(failure.kind == .closed)
        #expect(server.requests.count == 2)
        // The next one has a connection that is whole.
        _ = try await exchange(server.port, over: .kept).get()
    }

    @Test("what goes wrong is told apart")
    func kinds() async throws {
        #expect(await kind(try TestServer { _ in }) == .closed)
        #expect(await kind(try TestServer { _ = $0.waitForEnd() }, within: .milliseconds(200)) == .timeout)
        #expect(await kind(try TestServer(saying: "SSH-2.0-x\r\n")) == .garbled)
        let cut = try TestServer(saying: "HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\nok")
        #expect(await kind(cut) == .closed)
        let long = "HTTP/1.1 200 X\r\nX: " + String(repeating: "x", count: 80_000) + "\r\n\r\n"
        #expect(await kind(try TestServer(saying: long)) == .garbled)
        // One that had been closed might be another test's by now.
        let deaf = try Listener(backlog: nil)
        #expect(await kind(deaf.port) == .refused)
        withExtendedLifetime(deaf) {}
    }

    @Test("what would be no request is none")
    func unsendable() async throws {
        let server = try KeptServer { _ in KeptServer.answer(200, "ok") }
        let probe = HTTPProbe(port: request.port, path: "/ HTTP/1.1\r\nX: y")
        let outcome = await LoopbackProbe().exchange(probe, on: server.port, over: .new, within: .seconds(5))
        #expect((try? outcome.get()) == nil && server.requests.isEmpty)
    }
}
