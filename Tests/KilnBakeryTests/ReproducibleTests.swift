import KilnModel
import KilnTestSupport
import Testing

@testable import KilnBakery
@testable import KilnStore

@Suite("What a manifest says of another bake")
struct ReproducibleTests {
    private func origin(_ provision: String, _ more: String = "", tools: BakeTools = BakeTools(versions: [:])) throws
        -> ImageOrigin
    {
        let fixture = try RecipeFixture(
            RecipeFixture.text.replacing("[{ shell: { run: assemble.sh, outside: true } }]", with: provision)
                + "\nsnapshot: 2026-11-01" + more
        )
        for name in ["play.yml", "policy.cf"] { _ = try fixture.folder.file("web/\(name)", [1]) }
        let recipe = try fixture.recipe()
        let plan = try BakePlan(recipe, recipe.versions[0], parent: nil, tools: tools)
        let draft = ImageDraft(plan, in: fixture.path, packages: [], changes: plan.steps.map { _ in .uncounted }).draft
        withExtendedLifetime(fixture) {}
        return try #require(draft.origin)
    }

    @Test("steps that reach the network, and programs of this host, are named as reasons; a tool of a day is none")
    func reasons() throws {
        #expect(try origin("[{ shell: assemble.sh }]").notReproducible.isEmpty)
        let network = try origin("[{ shell: { run: assemble.sh, network: true } }]").notReproducible
        #expect(network.count == 1 && network[0].contains("'shell assemble.sh' reaches the network"))
        let outside = try origin("[{ shell: { run: assemble.sh, outside: true } }]").notReproducible
        #expect(outside.count == 1 && outside[0].contains("runs on this host"))
        #expect(try origin("[{ cfengine: { policy: policy.cf } }, { packages: [curl] }]").notReproducible.isEmpty)
    }

    @Test("a tool that is fetched without a day is named, too")
    func tools() throws {
        let fixture = try RecipeFixture(
            RecipeFixture.text.replacing(
                "{ shell: { run: assemble.sh, outside: true } }",
                with: "{ ansible: { playbook: play.yml } }"
            )
        )
        _ = try fixture.folder.file("web/play.yml", [1])
        let recipe = try fixture.recipe()
        let plan = try BakePlan(recipe, recipe.versions[0], parent: nil, tools: BakeTools(versions: [:]))
        let draft = ImageDraft(plan, in: fixture.path, packages: [], changes: plan.steps.map { _ in .uncounted }).draft
        let found = draft.origin?.notReproducible ?? []
        #expect(
            found.contains { $0.contains("the tool of 'ansible play.yml'") && $0.contains("'snapshot: DAY'") },
            "\(found)"
        )
    }

    @Test("which Kiln, apt and dpkg took part is written down, and decides nothing")
    func noted() throws {
        let fixture = try RecipeFixture()
        let recipe = try fixture.recipe()
        let keys = try ["1", "2"].map { kiln in
            let tools = BakeTools(versions: ["mke2fs": "1"], noted: ["kiln": kiln])
            return try BakePlan(recipe, recipe.versions[0], parent: nil, tools: tools).key
        }
        withExtendedLifetime(fixture) {}
        #expect(keys[0] == keys[1])
        let tools = BakeTools(versions: ["mke2fs": "1"], noted: ["kiln": "2"])
        #expect(try origin("[{ shell: assemble.sh }]", tools: tools).tools == ["mke2fs": "1", "kiln": "2"])
    }
}
