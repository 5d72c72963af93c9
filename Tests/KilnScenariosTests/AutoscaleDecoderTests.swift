import KilnDocuments
import KilnModel
import KilnScenarios
import KilnTestSupport
import Testing

@Suite("How many members an autopilot may let a server have, in a lab file")
struct AutoscaleDecoderTests {
    private let checker = SchemaChecker(ScenarioSchema.document)

    private static func server(_ autoscale: String, replicas: String = "2", ports: String = "{ http: 80 }") -> String {
        "replicas: \(replicas)\nports: \(ports)\nautoscale: \(autoscale)"
    }

    private static let ready = "\nready: [{ http: { port: http, path: / } }]"

    private func autoscale(_ fields: String) throws -> AutoscaleSpec? {
        let text = scenario(server: fields)
        #expect(try checker.problems(text).isEmpty)
        return try KilnScenariosTests.read(text).lab.servers[try Name("web")]?.autoscale
    }

    @Test("what is not said has its default")
    func read() throws {
        #expect(try autoscale("replicas: 2") == nil)
        #expect(
            try autoscale(Self.server("{ max: 4, target: { requests: 20 } }"))
                == AutoscaleSpec(min: 1, max: 4, target: .requests(20), cooldown: .seconds(60))
        )
        let queue = Self.server("{ min: 2, max: 8, target: { queue: 3 }, cooldown: 30s }") + Self.ready
        #expect(
            try autoscale(queue) == AutoscaleSpec(min: 2, max: 8, target: .queue(3), cooldown: .seconds(30))
        )
        // Whoever says how many a member gets at once lets the others wait.
        #expect(try autoscale(Self.server("{ max: 2, target: { queue: 3 } }") + "\nconnections: 8") != nil)
    }

    @Test(
        "what can't be is named where it stands",
        arguments: [
            (server("true"), "expected a map, such as"), (server("{ max: 4 }"), "the field 'target' is missing"),
            (server("{ target: { queue: 3 } }"), "the field 'max' is missing"),
            (server("{ max: 4, target: {} }"), "expected either 'requests' or 'queue'"),
            (server("{ max: 4, target: { requests: 1, queue: 1 } }"), "found both"),
            (server("{ max: 4, target: { requests: 0 } }"), "expected a whole number from 1"),
            (server("{ max: 17, target: { requests: 1 } }"), "expected a whole number from 1 to 16"),
            (server("{ min: 3, max: 2, target: { requests: 1 } }"), "more than max, which is 2"),
            (server("{ min: 2, max: 2, target: { requests: 1 } }"), "the same as min"),
            (
                server("{ max: 4, target: { requests: 1 } }", replicas: "5"),
                "allows 1 to 4 members, and 'replicas' is 5"
            ),
            (server("{ min: 3, max: 4, target: { requests: 1 } }"), "allows 3 to 4 members, and 'replicas' is 2"),
            ("ports: { http: 80 }\nautoscale: { max: 4, target: { requests: 1 } }", "which takes 'replicas'"),
            (server("{ max: 4, target: { requests: 1 } }", ports: "{}"), "publishes no TCP port"),
            (server("{ max: 4, target: { queue: 1 } }"), "requests wait only where"),
            (
                server(
                    "{ max: 4, target: { requests: 1 } }",
                    replicas: "1",
                    ports: "{ http: 80, dns: { guest: 53, protocol: udp } }"
                ), "datagrams, which one machine gets"
            ),
            (
                server("{ max: 4, target: { requests: 1 } }") + "\nrollout: { judge: {} }",
                "rollout.judge, with no more members than min"
            ), (server("{ max: 4, target: { requests: 1 }, cooldown: soon }"), "expected a duration"),
        ]
    )
    func problems(_ fields: String, _ expected: String) throws {
        let found = try KilnScenariosTests.problems(scenario(server: fields))
        #expect(found.contains { $0.contains(expected) }, "\(found)")
    }

    @Test("a step can't declare how many it has")
    func step() throws {
        let fields = Self.server("{ max: 4, target: { requests: 20 } }")
        let steps = "[up, { declare: { server: web, replicas: 3 } }]"
        let found = try KilnScenariosTests.problems(scenario(server: fields, steps: steps))
        #expect(found.contains { $0.contains("it declares 'autoscale'") }, "\(found)")
    }
}
