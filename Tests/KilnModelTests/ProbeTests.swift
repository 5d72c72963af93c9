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

    @Test("every kind of resource comes back from the disk, also within 'not'")
    func resources() throws {
        var file = FileResource(path: try #require(RootPath("/etc/passwd")))
        file.type = .file
        file.mode = 0o644
        file.contents = [try TextPattern("root"), try TextPattern("!/toor/")]
        file.size = NumberCondition(gt: 0)
        var port = PortResource(transport: .udp, number: 53)
        port.ip = [try TextPattern("127.0.0.1")]
        var command = CommandResource(run: ["/bin/sh", "-c", "true"])
        command.stdout = [try TextPattern("x")]
        let resources: [GuestResource] = [
            .file(file), .package(PackageResource(name: "bash")), .service(ServiceResource(name: "ssh", running: true)),
            .port(port), .process(ProcessResource(name: "sshd")), .user(UserResource(name: "root")),
            .group(GroupResource(name: "adm")), .command(command), .mount(MountResource(path: .root)),
        ]
        let probes = resources.map { Probe.resource($0) } + resources.map { .not(.resource($0)) } + [.not(.exec(["a"]))]
        #expect(try JSONDecoder().decode([Probe].self, from: JSONEncoder().encode(probes)) == probes)
        #expect(probes.map(\.isOffline).filter { $0 }.count == 8)
        #expect(probes.map(\.description).contains("not command 'true'"))
        let check = Check(probes[0], eventually: Check.Eventually(within: .seconds(5)))
        #expect(try JSONDecoder().decode(Check.self, from: JSONEncoder().encode(check)) == check)
    }

    @Test("what runs a command of the user's is known, wherever it stands")
    func commands() throws {
        let command = Probe.resource(.command(CommandResource(run: ["a"])))
        for probe in [.exec(["a"]), command, .not(command), .not(.exec(["a"]))] { #expect(probe.runsCommand) }
        for probe in [Probe.agent, .resource(.group(GroupResource(name: "a")))] { #expect(!probe.runsCommand) }
    }

    @Test(
        "a port is written with its protocol",
        arguments: [("22", "tcp:22"), ("tcp:22", "tcp:22"), ("udp:53", "udp:53"), ("tcp:65535", "tcp:65535")]
    )
    func ports(_ written: String, _ socket: String) { #expect(PortResource(written)?.socket == socket) }

    @Test(
        "what is no port is none",
        arguments: ["", "0", "tcp:", "tcp:0", "tcp:65536", "sctp:1", "a:1:2", "+1", "٣", "01"]
    )
    func noPort(_ text: String) { #expect(PortResource(text) == nil) }

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
