import KilnDocuments
import KilnModel
import KilnScenarios
import Testing

@Suite("Networks and ports of a lab file")
struct NetworkDecoderTests {
    private func lab(_ networks: String, _ servers: String) -> String {
        """
        kiln: 1
        name: test
        lab:
          networks: \(networks)
          servers:
        \(servers.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n"))
        steps: [up]
        """
    }

    @Test("a server is on one network or several, in the order that it says")
    func read() throws {
        let servers =
            "web: { image: tiny, networks: [wan, lan] }\ndb: { image: tiny, networks: lan }\nlog: { image: tiny }"
        let scenario = try KilnScenariosTests.read(lab("{ lan: {}, wan: {} }", servers))
        let (lan, wan) = (try Name("lan"), try Name("wan"))
        #expect(scenario.lab.networks == [lan, wan])
        #expect(scenario.lab.servers[try Name("web")]?.networks == [wan, lan])
        #expect(scenario.lab.servers[try Name("db")]?.networks == [lan])
        #expect(scenario.lab.servers[try Name("log")]?.networks == [])
    }

    @Test(
        "what can't be a network, or a place on one, is named",
        arguments: [
            ("{ lan: {} }", "[lna]", "did you mean 'lan'?"),
            ("{ lan: {} }", "[lan, lan]", "already on the network 'lan'"),
            ("{ lan: { mtu: 9000 } }", "[lan]", "expected {}"), ("{ lan: }", "[lan]", "expected {}"),
            ("{ LAN: {} }", "[]", "expected a name"), ("[lan]", "[lan]", "a map of networks"),
            ("{ lan: {} }", "[]", "a list of networks"), ("{ lan: {} }", "{ lan: {} }", "expected"),
            ("{ lan: {} }", "7", "expected"),
        ]
    )
    func problem(networks: String, server: String, expected: String) throws {
        let found = try problems(lab(networks, "web: { image: tiny, networks: \(server) }"))
        #expect(found.contains { $0.contains(expected) }, "\(found)")
    }

    @Test("more servers than addresses, and more networks than cards, are named")
    func tooMany() throws {
        let servers = (0...200).map { "s\($0): { image: tiny, networks: lan }" }.joined(separator: "\n")
        #expect(try problems(lab("{ lan: {} }", servers)).count { $0.contains("takes no more") } == 1)
        let names = (0...8).map { "n\($0)" }
        let networks = "{ \(names.map { "\($0): {}" }.joined(separator: ", ")) }"
        let found = try problems(lab(networks, "web: { image: tiny, networks: [\(names.joined(separator: ", "))] }"))
        #expect(found.count == 1 && found.allSatisfy { $0.contains("at most 8") }, "\(found)")
    }

    @Test("a port may be of datagrams; then no request can be made of it, and its number is not that of a TCP port")
    func datagrams() throws {
        let ports = "ports: { log: { guest: 514, host: 1514, protocol: udp }, sql: { guest: 514, host: 1514 } }"
        let web = try Name("web")
        let spec = try #require(try KilnScenariosTests.read(scenario(server: ports)).lab.servers[web])
        #expect(spec.ports[try Name("log")] == PortSpec(guest: 514, host: 1514, transport: .udp))
        #expect(spec.ports[try Name("sql")]?.transport == .tcp)
        let asked = try problems(scenario(server: ports + "\nready: [{ tcp: { port: log, expect: x } }]"))
        #expect(asked.contains { $0.contains("found 'log'") && $0.contains("declared: sql") }, "\(asked)")
        let twice = ports.replacing("guest: 514, host: 1514 }", with: "guest: 1, host: 1514, protocol: udp }")
        #expect(try problems(scenario(server: twice)).contains { $0.contains("1514/udp is already taken") })
    }
}
