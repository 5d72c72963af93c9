import Foundation
import KilnModel
import Testing

@testable import KilnImages

@Suite("Recipes")
struct RecipeTests {
    private static let images = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Images").path

    private static let valid = """
        kiln-image: 1
        name: web
        about: A server.
        debian: { suite: trixie, variant: minbase, packages: [curl] }
        assemble: assemble.sh
        disk: 1GiB
        command-line: quiet
        memory: 256MiB
        processors: 2
        cloud-init: full
        ssh: true
        versions: { "10": {}, "9": { GREETING: hello } }
        """

    private func problems(_ text: String) -> [String] {
        do {
            _ = try Recipe(text: text, file: "image.yaml", folder: "/x/web")
            return []
        } catch {
            return (error as? KilnError)?.message.split(separator: "\n").map(String.init) ?? ["\(error)"]
        }
    }

    @Test("every recipe of the project is valid, and all that it needs is there")
    func project() throws {
        let recipes = try Recipe.all(in: RecipeTests.images)
        #expect(recipes.map(\.name.text) == ["debian-13", "tiny"])
        for recipe in recipes {
            #expect(FileManager.default.isExecutableFile(atPath: "\(recipe.folder)/\(recipe.assemble)"))
            for version in recipe.versions { _ = try recipe.contentDigest(of: version) }
        }
    }

    @Test("the recipe of Debian 13 names the modules that its cloud-init runs")
    func modules() throws {
        let folder = "\(RecipeTests.images)/debian-13"
        let text = try String(contentsOfFile: folder + "/root/etc/cloud/cloud.cfg", encoding: .utf8)
        let lists = text.replacing("\n  ", with: " ").split(separator: "\n").filter { $0.contains("_modules: [") }
        #expect(lists.count == 3)
        let modules = lists.flatMap { $0.split { !($0.isLetter || $0 == "_") }.dropFirst().map(String.init) }
        #expect(try Recipe(folder: folder).cloudInitModules?.sorted() == modules.sorted())
    }

    @Test("versions come oldest first, with their variables")
    func versions() throws {
        let recipe = try Recipe(text: RecipeTests.valid, file: "image.yaml", folder: "/x/web")
        #expect(recipe.versions.map(\.name) == ["9", "10"])
        #expect(recipe.versions.first?.variables == ["GREETING": "hello"])
    }

    @Test(
        "a problem is named with its place",
        arguments: [
            ("memory: 256MiB", "memory: 256M", "image.yaml:8:9: expected a size such as 256MiB, found '256M'"),
            ("memory:", "memori:", "image.yaml:8:1: 'memori' is not a key of a recipe; did you mean 'memory'?"),
            ("name: web", "name: db", "image.yaml:2:7: expected the folder's name, 'web'"),
            ("[curl]", "[curl, 'a,b']", "image.yaml:4:61: expected a package's name, found 'a,b'"),
            ("assemble.sh", "../x", "image.yaml:5:11: expected a file name, found '../x'"),
            ("GREETING", "KILN_TREE", "image.yaml:12:30: expected a variable"),
            ("ssh: true", "ssh: maybe", "image.yaml:11:6: expected true or false, found 'maybe'"),
            ("disk: 1GiB", "disk: [", "image.yaml:8:7: not YAML"),
            (
                "ssh:", "cloud-init-modules: [runcmd, nptd]\nssh:",
                "image.yaml:11:30: expected a module of cloud-init, found 'nptd'"
            ),
            (
                "cloud-init: full", "cloud-init: subset\ncloud-init-modules: [runcmd]",
                "image.yaml:11:21: only an image with 'cloud-init: full' has modules of it"
            ),
        ]
    )
    func places(from: String, to: String, expected: String) {
        let found = problems(RecipeTests.valid.replacingOccurrences(of: from, with: to))
        #expect(found.contains { $0.hasPrefix(expected) }, "\(found)")
    }

    @Test("all problems are named at once")
    func all() {
        let text = RecipeTests.valid.replacingOccurrences(of: "processors: 2", with: "processors: 0")
            .replacingOccurrences(of: "disk: 1GiB\n", with: "")
        #expect(problems(text).count == 2)
    }

    @Test("a changed byte, mode or name in the folder is another recipe, and so is another version")
    func digest() throws {
        let folder = try TemporaryFolder()
        _ = try folder.file("web/image.yaml", Array(RecipeTests.valid.utf8))
        let program = try folder.file("web/assemble.sh", [1])
        let recipe = try Recipe(folder: folder.path + "/web")
        func digests() throws -> [ImageDigest] { try recipe.versions.map { try recipe.contentDigest(of: $0) } }
        var seen = Set(try digests())
        #expect(seen.count == 2)
        #expect(try Set(digests()) == seen)
        _ = try folder.file("web/assemble.sh", [2])
        #expect(try seen.isDisjoint(with: digests()))
        seen.formUnion(try digests())
        chmod(program, 0o755)
        #expect(try seen.isDisjoint(with: digests()))
        seen.formUnion(try digests())
        rename(program, program + "2")
        #expect(try seen.isDisjoint(with: digests()))
    }

    @Test("mirrors come from apt, with the host's suite replaced and other archives left out")
    func mirrors() {
        let targets = [
            "http://mirror.example/debian/ bookworm main", "http://mirror.example/debian/ bookworm main",
            "http://mirror.example/security/ bookworm-security main", "https://vendor.example/ nodistro main",
            "https://vendor.example/ bookwormish main",
        ]
        #expect(
            DebianSources.lines(targets: targets, own: "bookworm", suite: "trixie") == [
                "deb http://mirror.example/debian/ trixie main",
                "deb http://mirror.example/security/ trixie-security main",
            ]
        )
    }
}
