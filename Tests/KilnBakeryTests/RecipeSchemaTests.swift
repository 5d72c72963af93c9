import Foundation
import KilnDocuments
import KilnTestSupport
import Testing

@testable import KilnBakery

@Suite("The schema of recipes for editors")
struct RecipeSchemaTests {
    private let checker = SchemaChecker(RecipeSchema.document)

    @Test("every recipe of the project follows the schema")
    func project() throws {
        let recipes = try Recipe.all(in: RecipeTests.images)
        #expect(!recipes.isEmpty)
        for recipe in recipes {
            let file = "\(recipe.folder)/\(Recipe.fileName)"
            #expect(try checker.problems(String(contentsOfFile: file, encoding: .utf8)).isEmpty)
        }
    }

    @Test(
        "what the decoder takes, the schema takes",
        arguments: [
            (
                "disk: 1GiB",
                "disk: 1GiB\ncpu: host\nsnapshot: 2026-11-01\nvolatile-root: false\nflash: true\nephemeral: [/run, /a/..b]"
            ),
            ("disk:", "bake: chroot\ndisk:"), ("[curl]", "[]"), ("disk:", "ephemeral: []\ndisk:"),
            ("\"10\": {}", "\"10\": { from: tiny:1, A: b }"),
            ("outside: true", "outside: true, shared: [initrd], with: [], env: { A: 1 }, timeout: 5m"),
            (
                "{ shell: { run: assemble.sh, outside: true } }",
                "{ packages: [curl] }, { files: { from: assemble.sh, to: /a } }"
            ), ("cloud-init: full", "cloud-init: none"),
            (
                "\"10\": {}",
                "\"10\": { provision: [{ packages: [curl] }, { files: { image: \"tiny:1\", from: /bin/sh, to: /a } }], A: b }"
            ),
            ("\"10\": {}", "\"10\": { provision: [] }"),
            ("GREETING: hello", "A: 8080, B_2: yes, C: , D: 1.5, E: 'x'"), ("\"10\": {}", "1.0+b_1-2: {}"),
            ("[curl]", "[], mirror: http://m.example/debian"),
            ("{ suite: trixie, variant: minbase, packages: [curl] }", "trixie"),
            ("[curl]", "[], mirror: [mirror+file:/etc/m.list, 'deb [trusted=yes] http://m.example x main']"),
        ]
    )
    func accepted(from: String, to: String) throws {
        let text = RecipeFixture.text.replacing(from, with: to)
        #expect(try RecipeFixture(text).problems.isEmpty)
        #expect(try checker.problems(text).isEmpty)
    }

    @Test(
        "what the decoder refuses for its structure, the schema refuses",
        arguments: [
            ("kiln-image: 1", "kiln-image: 2"), ("name: web", "name: Web"), ("name: web\n", ""), ("name:", "nmae:"),
            ("about: A server.", "about: ''"), ("about: A server.", "about: 12"), ("trixie", "Trixie"),
            ("suite: trixie, ", ""), ("suite:", "colour: red, suite:"), ("minbase", "a/b"), ("[curl]", "curl"),
            ("[curl]", "['a,b']"), ("[curl]", "[-a]"), ("[curl]", "[12]"), ("assemble.sh", "../x"),
            ("assemble.sh", "/x"), ("assemble.sh", "-x"), ("outside: true", "outside: true, shared: [a/b]"),
            ("1GiB", "1G"), ("disk:", "bake: boot\ndisk:"),
            ("outside: true", "outside: 1"), ("{ shell:", "{ shel:"), ("disk:", "snapshot: today\ndisk:"),
            ("disk:", "assemble: assemble.sh\ndisk:"), ("[{ shell: { run: assemble.sh, outside: true } }]", "[{}]"),
            ("[{ shell: { run: assemble.sh, outside: true } }]", "[{ files: { from: assemble.sh } }]"),
            ("[{ shell: { run: assemble.sh, outside: true } }]", "[{ files: { from: assemble.sh, to: a } }]"),
            ("quiet", "\"a\\nb\""), ("quiet", "''"), ("256MiB", "256"), ("processors: 2", "processors: 65"),
            ("processors: 2", "processors: '2'"), ("disk:", "cpu: x86-64-v9\ndisk:"), ("full", "partly"),
            ("ssh: true", "ssh: 'true'"), ("ssh: true", "ssh: 1"), ("disk:", "volatile-root: [true]\ndisk:"),
            ("disk:", "flash: yes please\ndisk:"),
            ("disk:", "ephemeral: [tmp]\ndisk:"), ("disk:", "ephemeral: [/]\ndisk:"),
            ("disk:", "ephemeral: [/a/..]\ndisk:"), ("disk:", "ephemeral: [/./a]\ndisk:"),
            ("{ \"10\": {}, \"9\": { GREETING: hello } }", "{}"), ("\"10\"", "\"1 0\""), ("\"10\": {}", "\"10\":"),
            ("[curl]", "[], mirror: m.example"), ("[curl]", "[], mirror: [12]"), ("[curl]", "[], keyring: ''"),
            ("{ suite: trixie, variant: minbase, packages: [curl] }", "Trixie"),
            ("{ suite: trixie, variant: minbase, packages: [curl] }", "13"),
            ("{ suite: trixie, variant: minbase, packages: [curl] }", "[trixie]"), ("GREETING", "KILN_X"),
            ("\"10\": {}", "\"10\": { provision: {} }"), ("\"10\": {}", "\"10\": { provision: [{ shel: x }] }"),
            ("{ shell: { run: assemble.sh, outside: true } }", "{ files: { image: tiny, from: /a/../b, to: /a } }"),
            ("{ shell: { run: assemble.sh, outside: true } }", "{ files: { image: '', from: /a, to: /a } }"),
            ("GREETING", "greeting"), ("GREETING: hello", "A: [b]"),
        ]
    )
    func refused(from: String, to: String) throws {
        let text = RecipeFixture.text.replacing(from, with: to)
        #expect(try !RecipeFixture(text).problems.isEmpty)
        #expect(try !checker.problems(text).isEmpty)
    }

    @Test(
        "the pattern of a form says what its test says",
        arguments: [
            "a", "a-b", "-a", ".a", "a.b", "+", "", "A", "A1_", "1A", "_A", "KILN_A", "KILN", "a/b", "/", "//", "/a",
            "/a/",
            "//a", "/a/./b", "/a/..", "/..a", "/a b", "a\nb", "/a\nb/../c", "ä", "/ä", "a,b", "2", "2.0+x", "+2",
            String(repeating: "a", count: 40), String(repeating: "a", count: 41),
        ]
    )
    func patterns(text: String) throws {
        let forms: [TextForm] = [
            .suite, .variant, .package, .fileName, .line, .rootPath, .version, .variable, .relativePath, .treePath,
            .pathInImage, .filePath, .owner,
        ]
        for form in forms {
            let isFound = try text.firstMatch(of: Regex(form.pattern)) != nil
            #expect(form.accepts(text) == isFound, "\(form.expected)")
        }
    }

    @Test("the schema uses no keyword that the checker of this test passes over")
    func keywords() {
        #expect(checker.unknownKeywords.isEmpty)
    }
}
