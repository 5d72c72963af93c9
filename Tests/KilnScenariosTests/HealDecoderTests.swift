import KilnDocuments
import KilnModel
import KilnScenarios
import KilnTestSupport
import Testing

@Suite("What an autopilot may do, in a lab file")
struct HealDecoderTests {
    private let checker = SchemaChecker(ScenarioSchema.document)

    private func heal(_ fields: String) throws -> HealSpec? {
        let text = scenario(server: fields)
        #expect(try checker.problems(text).isEmpty)
        return try KilnScenariosTests.read(text).lab.servers[try Name("web")]?.heal
    }

    @Test("its presence turns it on, and what is not said has its default")
    func read() throws {
        #expect(try heal("memory: 256MiB") == nil)
        #expect(try heal("heal: {}") == HealSpec(after: .seconds(30), atMost: 3, per: .seconds(600)))
        #expect(
            try heal("heal: { after: 5s, at-most: 1, per: 1h }")
                == HealSpec(after: .seconds(5), atMost: 1, per: .seconds(3600))
        )
        let spec = try heal("max-age: 30d\nheal: { window: { from: '22:00', to: '04:30' } }")
        #expect(spec?.window == HealSpec.Window(from: 1320, to: 270))
    }

    @Test(
        "what can't be is named where it stands",
        arguments: [
            ("heal: true", "expected a map, such as 'after: 30s', or {}"),
            ("heal: { at-most: 0 }", "expected a whole number from 1 to 100"),
            ("heal: { after: soon }", "expected a duration"),
            ("max-age: 1d\nheal: { window: { from: 22:00, to: '05:00' } }", "put it in quotes to make it text"),
            ("heal: { window: { from: '02:00', to: '05:00' } }", "which takes 'max-age'"),
            ("max-age: 1d\nheal: { window: { from: '02:00' } }", "the field 'to' is missing"),
            ("max-age: 1d\nheal: { window: { from: '2:00', to: '05:00' } }", "expected a time of day such as '02:00'"),
            ("max-age: 1d\nheal: { window: { from: '02:00', to: '02:00' } }", "it ends when it begins"),
            ("heal: { afetr: 30s }", "unknown field"),
        ]
    )
    func problems(_ fields: String, _ expected: String) throws {
        let found = try KilnScenariosTests.problems(scenario(server: fields))
        #expect(found.contains { $0.contains(expected) }, "\(found)")
    }

    @Test("a step that heals needs a server that declares it, and that was brought up")
    func step() throws {
        let step = "{ heal: { server: web, within: 60s } }"
        #expect(try KilnScenariosTests.problems(scenario(server: "heal: {}", steps: "[up, \(step)]")) == [])
        let undeclared = try KilnScenariosTests.problems(scenario(steps: "[up, \(step)]"))
        #expect(undeclared.contains { $0.contains("declares no 'heal'") }, "\(undeclared)")
        let early = try KilnScenariosTests.problems(scenario(server: "heal: {}", steps: "[\(step)]"))
        #expect(early.contains { $0.contains("is not up at this step") }, "\(early)")
        let off = "[up, { stop: all }, \(step)]"
        let stopped = try KilnScenariosTests.problems(scenario(server: "heal: {}", steps: off))
        #expect(stopped.contains { $0.contains("is stopped at this step") }, "\(stopped)")
    }

    @Test("only what has a max-age is renewed")
    func renewed() throws {
        let steps = "[up, { heal: { server: web, within: 60s, until: renewed } }]"
        let found = try KilnScenariosTests.problems(scenario(server: "heal: {}", steps: steps))
        #expect(found.contains { $0.contains("declares no 'max-age'") }, "\(found)")
        let aged = scenario(server: "heal: {}\nmax-age: 1d", steps: steps)
        #expect(try KilnScenariosTests.problems(aged) == [] && checker.problems(aged) == [])
        let odd = scenario(server: "heal: {}", steps: steps.replacing("renewed", with: "old"))
        #expect(try !KilnScenariosTests.problems(odd).isEmpty && !checker.problems(odd).isEmpty)
    }
}
