import Foundation
import KilnEngine
import KilnModel
import KilnTestSupport
import Testing

@testable import KilnHost

@Suite("Probes over HTTP")
struct HTTPProbeTests {
    private let probe = LoopbackProbe()
    private let usual = Duration.seconds(30)

    private func request(
        _ path: String = "/",
        method: HTTPProbe.Method = .get,
        headers: [String: String] = [:],
        body: String? = nil,
        status: String = "200",
        contains: String? = nil
    ) throws -> HTTPProbe {
        HTTPProbe(
            port: try Name("http"),
            path: path,
            method: method,
            headers: headers,
            body: body,
            status: try #require(HTTPStatuses([status])),
            contains: contains
        )
    }

    private func reason(_ finding: ProbeFinding) -> String {
        guard case .notYet(let reason) = finding else { return "\(finding)" }
        return reason
    }

    @Test("a request is one of HTTP/1.1, and its path goes out as it is written")
    func version() async throws {
        let server = try TestServer(saying: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        #expect(await probe.http(try request("/a/../b%20?x=1#y"), on: server.port, within: usual) == .holds)
        let lines = try #require(server.requests.first).components(separatedBy: "\r\n")
        #expect(lines.first == "GET /a/../b%20?x=1#y HTTP/1.1")
        #expect(lines.contains("Host: 127.0.0.1:\(server.port)") && lines.contains("User-Agent: kiln"))
    }

    @Test("method, headers and body go out as they are written, and nothing is made up")
    func sent() async throws {
        let server = try TestServer(saying: "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
        let headers = ["Host": "app.example", "X-Empty": "", "X-Colon": "a: b; c"]
        let post = try request(method: .post, headers: headers, body: "{\"a\":1}", status: "2xx")
        #expect(await probe.http(post, on: server.port, within: usual) == .holds)
        let lines = try #require(server.requests.first).components(separatedBy: "\r\n")
        #expect(lines.first == "POST / HTTP/1.1")
        for line in ["Host: app.example", "X-Empty:", "X-Colon: a: b; c", "Content-Length: 7"] {
            #expect(lines.contains(line), "\(lines)")
        }
        #expect(!lines.contains { $0.hasPrefix("Content-Type") || $0.hasPrefix("Expect") })
    }

    @Test("the answer to HEAD has a length, but no body to wait for")
    func head() async throws {
        let server = try TestServer { peer in
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            _ = peer.waitForEnd()
        }
        #expect(await probe.http(try request(method: .head), on: server.port, within: usual) == .holds)
    }

    @Test(
        "answers are judged",
        arguments: [
            ("", "the connection was closed without an answer"), ("SSH-2.0-x\r\n", "not an HTTP answer"),
            ("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "HTTP status 503, expected 200"),
            ("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello", "the HTTP answer is cut off"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "the HTTP answer is cut off"),
            ("HTTP/1.0 200 OK\r\n\r\nbye", "the body is 'bye', expected 'hello' in it"),
            ("HTTP/1.0 200 OK\r\n\r\nhello", "holds"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", "holds"),
            ("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "holds"),
        ]
    )
    func judged(_ answer: String, _ words: String) async throws {
        let server = try TestServer(saying: answer)
        let finding = await probe.http(try request(contains: "hello"), on: server.port, within: usual)
        #expect(reason(finding).hasPrefix(words), "\(finding)")
    }

    @Test("a redirect is an answer like any other: it is not followed, and may be what is expected")
    func redirect() async throws {
        let elsewhere = try TestServer(saying: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        let there = "http://127.0.0.1:\(elsewhere.port)/"
        let server = try TestServer(saying: "HTTP/1.1 302 Found\r\nLocation: \(there)\r\nContent-Length: 0\r\n\r\n")
        let finding = await probe.http(try request(), on: server.port, within: usual)
        let words = "HTTP status 302, which leads to '\(there)', expected 200; a probe follows no redirect"
        #expect(finding == .notYet(words))
        #expect(await probe.http(try request(status: "302"), on: server.port, within: usual) == .holds)
        #expect(elsewhere.requests.isEmpty)
    }

    @Test("headers without an end are read up to a limit")
    func endlessHeaders() async throws {
        let server = try TestServer { peer in
            peer.send("HTTP/1.1 200 OK\r\n")
            while peer.send("X-More: \(String(repeating: "x", count: 200))\r\n") {}
        }
        let finding = await probe.http(try request(), on: server.port, within: .seconds(600))
        #expect(finding == .notYet("its headers are longer than 64 KiB"))
    }

    @Test("interim answers without an end, and a header line without one, end too")
    func otherEndless() async throws {
        let interim = try TestServer { peer in while peer.send("HTTP/1.1 100 Continue\r\n\r\n") {} }
        #expect(
            await probe.http(try request(), on: interim.port, within: .seconds(600))
                == .notYet("its headers are longer than 64 KiB")
        )
        let line = try TestServer { peer in
            peer.send("HTTP/1.1 200 OK\r\nX: ")
            while peer.send(String(repeating: "x", count: 1000)) {}
        }
        #expect(await probe.http(try request(), on: line.port, within: .seconds(600)) != .holds)
    }

    @Test("who sends byte by byte has no more time than others", .timeLimit(.minutes(5)))
    func drip() async throws {
        let server = try TestServer { peer in
            for character in "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" where !peer.send(String(character)) {
                return
            }
            while peer.send("x") { usleep(50_000) }
        }
        let finding = await probe.http(try request(), on: server.port, within: .seconds(5))
        #expect(finding == .notYet("the answer did not end in time"))
    }

    @Test("of a body without an end the first MiB counts")
    func endlessBody() async throws {
        let server = try TestServer { peer in
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nhello")
            while peer.send(String(repeating: "x", count: 10_000)) {}
        }
        #expect(await probe.http(try request(contains: "hello"), on: server.port, within: usual) == .holds)
        let finding = await probe.http(try request(contains: "bye"), on: server.port, within: usual)
        #expect(reason(finding).hasSuffix("expected 'bye' in its first MiB"), "\(finding)")
    }

    @Test("a transfer ends with the task that waits for it")
    func cancelled() async throws {
        let (ends, end) = AsyncStream<Bool>.makeStream()
        let (beginnings, begun) = AsyncStream<Void>.makeStream()
        let server = try TestServer { peer in
            begun.yield()
            end.yield(peer.waitForEnd())
        }
        let request = try request()
        // Short enough that nothing goes beside it, and longer than the test may take.
        let task = Task { await HTTPClient.shared.answer(to: request, on: server.port, within: .seconds(600)) }
        for await _ in beginnings { break }
        task.cancel()
        _ = await task.value
        var hasEnded = false
        for await isEnd in ends {
            hasEnded = isEnd
            break
        }
        #expect(hasEnded)
    }

    @Test("hundreds that wait hold no threads, and keep nobody from an answer")
    func many() async throws {
        let silent = try Listener(backlog: 1024)
        let server = try TestServer(saying: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        let request = try request()
        let waiting = 400
        let before = try threads()
        await withDiscardingTaskGroup { group in
            for _ in 1...waiting / 2 {
                group.addTask { _ = await probe.http(request, on: silent.port, within: .seconds(600)) }
                group.addTask {
                    _ = await probe.tcp(port: silent.port, send: nil, expect: "x", within: .seconds(600))
                }
            }
            #expect(await probe.http(request, on: server.port, within: .seconds(60)) == .holds)
            // Other tests of this process begin threads meanwhile, on a busy host more than a hundred.
            #expect((try? threads()) ?? .max < before + waiting * 3 / 4)
            group.cancelAll()
        }
    }

    private func threads() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count
    }

    @Test("a request that could be taken for two is refused for good")
    func smuggling() async throws {
        let path = try request("/ HTTP/1.0\r\n\r\nGET /")
        let header = try request(headers: ["X": "a\r\nY: b"])
        for request in [path, header] {
            guard case .failed = await probe.http(request, on: 1, within: usual) else {
                Issue.record("it was not refused")
                continue
            }
        }
    }
}

@Suite("Probes over TLS")
struct TLSProbeTests {
    private func finding(_ tls: HTTPProbe.TLS?, _ port: UInt16) async throws -> ProbeFinding {
        await LoopbackProbe().http(
            HTTPProbe(port: try Name("https"), path: "/", tls: tls),
            on: port,
            within: .seconds(30)
        )
    }

    private func expect(_ finding: ProbeFinding, _ words: String) {
        guard case .notYet(let reason) = finding else {
            Issue.record("\(finding)")
            return
        }
        #expect(reason.contains(words), "\(reason)")
    }

    private let trusted = HTTPProbe.TLS(authorities: TestCertificates.authority)

    @Test("a certificate holds that is for the name, and by who is trusted; any does where it is not looked at")
    func good() async throws {
        let server = try await TLSServer.start(certificate: TestCertificates.localhost)
        #expect(try await finding(trusted, server.port) == .holds)
        #expect(try await finding(HTTPProbe.TLS(isVerified: false), server.port) == .holds)
    }

    @Test("what is wrong with a certificate is told, and what to do")
    func bad() async throws {
        let server = try await TLSServer.start(certificate: TestCertificates.localhost)
        let untrusted = try await finding(HTTPProbe.TLS(), server.port)
        expect(untrusted, "its certificate is not trusted: nobody who is trusted signed it")
        expect(untrusted, "'ca'")
        expect(untrusted, "'verify: false'")
        let name = HTTPProbe.TLS(authorities: TestCertificates.authority, serverName: "app.example")
        expect(try await finding(name, server.port), "does not match target host name")
        let old = try await TLSServer.start(certificate: TestCertificates.expired)
        expect(try await finding(trusted, old.port), "it has expired")
    }

    @Test("who does not speak TLS, or nothing else, is told apart")
    func mixed() async throws {
        let plain = try TestServer(saying: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        expect(try await finding(trusted, plain.port), "TLS does not come about")
        let secure = try TestServer(saying: "\u{15}\u{3}\u{1}\u{0}\u{2}\u{2}\u{16}")
        expect(try await finding(nil, secure.port), "one over TLS needs 'tls: true'")
    }
}
