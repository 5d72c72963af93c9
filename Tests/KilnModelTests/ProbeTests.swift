import Foundation
import KilnModel
import Testing

@Suite("Probes on disk")
struct ProbeTests {
    @Test("what earlier versions wrote is read, and equal to what the same lab file says today")
    func earlier() throws {
        let text = """
            [{"probe":{"agent":{}},"timeout":[20,0],"successes":1,"failures":3},
             {"cloudInit":{"allowDegraded":true}},
             {"http":{"path":"\\/health","port":"http","status":200}},
             {"http":{"contains":"ok","path":"\\/","port":"http","status":204}},
             {"tcp":{"expect":"pong","port":"admin","send":"ping"}},
             {"exec":{"_0":["\\/bin\\/true","-x"]}}]
            """
        let http = try Name("http")
        let expected: [Check] = [
            Check(.agent), Check(.cloudInit(allowDegraded: true)),
            Check(.http(HTTPProbe(port: http, path: "/health"))),
            Check(.http(HTTPProbe(port: http, path: "/", status: HTTPStatuses(204), contains: "ok"))),
            Check(.tcp(port: try Name("admin"), send: "ping", expect: "pong")), Check(.exec(["/bin/true", "-x"])),
        ]
        let read = try JSONDecoder().decode([Check].self, from: Data(text.utf8))
        // Durations are pairs of numbers, whose unit is not the point here.
        #expect(read.map(\.probe) == expected.map(\.probe))
    }

    @Test("every part of a probe comes back from the disk")
    func whole() throws {
        let probes: [Probe] = [
            .agent, .cloudInit(), .cloudInit(allowDegraded: true), .tcp(port: try Name("a"), expect: "b"), .exec(["c"]),
            .http(
                HTTPProbe(
                    port: try Name("http"),
                    path: "/",
                    method: .patch,
                    headers: ["A": "b"],
                    body: "c",
                    tls: HTTPProbe.TLS(isVerified: true, authorities: "PEM", serverName: "app"),
                    status: try #require(HTTPStatuses(["200", "4xx"])),
                    contains: "d"
                )
            ),
        ]
        #expect(try JSONDecoder().decode([Probe].self, from: JSONEncoder().encode(probes)) == probes)
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(Probe.self, from: Data("{\"ssh\":{}}".utf8)) }
    }

    @Test(
        "statuses are numbers and classes",
        arguments: [
            (["200"], [200], [199, 201], "200"), (["2xx"], [200, 299], [199, 300], "2xx"),
            (["204", "3xx"], [204, 301], [200, 400], "204 or 3xx"),
        ]
    )
    func statuses(_ texts: [String], _ some: [Int], _ others: [Int], _ description: String) throws {
        let statuses = try #require(HTTPStatuses(texts))
        #expect(some.allSatisfy(statuses.contains) && !others.contains(where: statuses.contains))
        #expect(statuses.description == description)
    }

    @Test("what is no status is none", arguments: ["", "99", "600", "2x", "xx2", "6xx", "20", "2000", "٢xx", "+20"])
    func noStatus(_ text: String) {
        #expect(HTTPStatuses([text]) == nil && HTTPStatuses(["200", text]) == nil)
    }

    @Test("no headers and no path pass that could be taken for more")
    func lines() {
        #expect(HTTPProbe.isHeaderName("X-Forwarded-For") && HTTPProbe.isHeaderValue("a; b=\"ü\""))
        for name in ["", "a b", "a:", "a\r\nb", "é"] { #expect(!HTTPProbe.isHeaderName(name)) }
        for value in ["a\nb", "a\r", "\0"] { #expect(!HTTPProbe.isHeaderValue(value)) }
        for path in ["", "a", "/a b", "/a\r\n", "/ü"] { #expect(!HTTPProbe.isPath(path)) }
    }
}
