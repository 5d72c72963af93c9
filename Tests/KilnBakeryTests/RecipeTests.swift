import Foundation
import KilnDocuments
import KilnModel
import KilnTestSupport
import Testing

@testable import KilnBakery

@Suite("Recipes")
struct RecipeTests {
    static let images = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Images").path

    private func problems(changing from: String, to text: String) throws -> [String] {
        #expect(RecipeFixture.text.contains(from))
        return try RecipeFixture(RecipeFixture.text.replacing(from, with: text)).problems
    }

    @Test("every recipe of the project is valid, and all that it needs is there")
    func project() throws {
        let recipes = try Recipe.all(in: RecipeTests.images)
        #expect(recipes.map(\.name.text) == ["debian-13", "debian-cloud", "tiny", "ubuntu-cloud"])
        for recipe in recipes {
            if let assembly = recipe.assembly {
                #expect(FileManager.default.isExecutableFile(atPath: "\(recipe.folder)/\(assembly.program)"))
            }
            for version in recipe.versions { _ = try recipe.contentDigest(of: version) }
        }
    }

    @Test("every field reaches the model")
    func everyField() throws {
        let more = "\ncpu: x86-64-v3\nshared: [initrd]\nvolatile-root: true\nephemeral: [/run, '/etc/a b']"
        let fixture = try RecipeFixture(RecipeFixture.text + more)
        let recipe = try Recipe(folder: fixture.path)
        #expect(recipe.folder == fixture.path)
        #expect(recipe.name.text == "web" && recipe.about == "A server.")
        let assembly = try #require(recipe.assembly)
        #expect(
            assembly.debian
                == Recipe.Debian(suite: "trixie", variant: "minbase", packages: ["curl"], mirrors: [], keyrings: [])
        )
        #expect(assembly.program == "assemble.sh" && assembly.shared == ["initrd"])
        #expect(assembly.disk == ByteCount("1GiB") && assembly.commandLine == "quiet")
        #expect(recipe.size == MachineSize(memory: .mebibytes(256), processors: 2, cpu: .level3))
        #expect(recipe.cloudInit == .full && recipe.ssh && recipe.volatileRoot)
        #expect(recipe.ephemeral == ["/run", "/etc/a b"])
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
        let recipe = try RecipeFixture().recipe()
        #expect(recipe.versions.map(\.name) == ["9", "10"])
        #expect(recipe.versions.first?.variables == ["GREETING": "hello"])
        #expect(
            recipe.ephemeral.isEmpty && recipe.assembly?.shared.isEmpty == true && !recipe.volatileRoot
                && recipe.size.cpu == nil
        )
    }

    @Test("a variable is the text that is written, whatever YAML takes it for")
    func variables() throws {
        let text = RecipeFixture.text.replacing(
            "GREETING: hello",
            with: "A: 8080, B: 0644, C: yes, D: 1.10, E: '', F: , G: \"x\\ny\""
        )
        let recipe = try RecipeFixture(text).recipe()
        #expect(
            recipe.versions.first?.variables == [
                "A": "8080", "B": "0644", "C": "yes", "D": "1.10", "E": "", "F": "", "G": "x\ny",
            ]
        )
    }

    @Test("lists may be empty")
    func emptyLists() throws {
        #expect(try problems(changing: "[curl]", to: "[]").isEmpty)
        #expect(try problems(changing: "disk:", to: "shared: []\nephemeral: []\ndisk:").isEmpty)
    }

    @Test(
        "one mistake gives one problem that says where it is and what is meant",
        arguments: [
            ("memory: 256MiB", "memory: 256M", "8:9: memory: expected a size such as 256MiB"),
            ("memory: 256MiB", "memory: 1MiB", "8:9: memory: expected a size such as 256MiB"),
            ("disk: 1GiB", "disk: 4MiB", "6:7: disk: expected a size such as 256MiB"),
            ("processors: 2", "processors: 0", "9:13: processors: expected a whole number from 1 to 64"),
            ("processors: 2", "processors: '2'", "9:13: processors: expected a whole number from 1 to 64, found '2'"),
            ("ssh: true", "ssh: true\ncpuu: host", "12:1: cpuu: unknown field (did you mean 'cpu'?); expected one of"),
            ("ssh: true", "ssh: true\nssh: false", "12:1: ssh: the key is written twice, the first time at 11:1"),
            ("suite: trixie", "suite: trixie, a: b", "4:26: debian.a: unknown field; expected one of suite, variant"),
            ("suite: trixie, ", "", "4:9: debian: the field 'suite' is missing"),
            ("disk: 1GiB\n", "", "1:1: the field 'disk' is missing"),
            ("kiln-image: 1", "kiln-image: 2", "1:13: kiln-image: expected version 1 of the format, found 2"),
            ("name: web", "name: db", "2:7: name: expected the name of the recipe's folder, 'web', found 'db'"),
            ("name: web", "name: Web", "2:7: name: expected a name"),
            ("about: A server.", "about: 12", "3:8: about: expected text, found the number 12; put it in quotes"),
            ("about: A server.", "about: [a]", "3:8: about: expected text, found a list"),
            ("[curl]", "[curl, 'a,b']", "4:61: debian.packages[1]: expected a package's name"),
            ("[curl]", "[-curl]", "4:55: debian.packages[0]: expected a package's name"),
            ("[curl]", "curl", "4:54: debian.packages: expected a list of packages, found 'curl'"),
            ("assemble.sh", "../x", "5:11: assemble: expected a file's name without '/'"),
            ("assemble.sh", "image.yaml", "5:11: assemble: 'image.yaml' may not be executed: 'chmod +x"),
            ("assemble.sh", "assemble", "5:11: assemble: expected a program in the recipe's folder, which has no"),
            ("disk:", "shared: [initrd, iinit]\ndisk:", "6:18: shared[1]: expected a folder beside the recipe's own"),
            ("quiet", "\"a\\nb\"", "7:15: command-line: expected one line of text"),
            ("cloud-init: full", "cloud-init: ful", "10:13: cloud-init: expected one of full, subset, none (did you"),
            ("ssh: true", "ssh: maybe", "11:6: ssh: expected true or false, found 'maybe'"),
            ("ssh: true", "ssh: yes", "11:6: ssh: expected true or false, found the boolean yes"),
            ("disk:", "ephemeral: [tmp]\ndisk:", "6:13: ephemeral[0]: expected an absolute path"),
            ("disk:", "ephemeral: [/a/../b]\ndisk:", "6:13: ephemeral[0]: expected an absolute path"),
            ("disk:", "cpu: x86-64-v9\ndisk:", "6:6: cpu: expected a processor model"),
            ("GREETING", "KILN_TREE", "12:30: versions.9.KILN_TREE: expected a variable such as GREETING"),
            ("GREETING: hello", "A: [b]", "12:33: versions.9.A: expected the text of a variable, found a list"),
            ("\"10\": {}", "\"1/0\": {}", "12:13: versions.1/0: expected a version"),
            ("\"10\": {}", "\"10\":", "12:18: versions.10: expected a map of variables, found nothing"),
            ("\"10\": {}", "9: {}", "12:20: versions.9: the key is written twice, the first time at 12:13"),
            ("disk: 1GiB", "disk: [", "8:7: not YAML"),
            ("ssh: true", "ssh: &a true", "11:6: ssh: anchors (&) and aliases (*) are not supported"),
            (
                "ssh:", "cloud-init-modules: [runcmd, nptd]\nssh:",
                "11:30: cloud-init-modules[1]: expected a module of cloud-init, found 'nptd'"
            ),
            (
                "cloud-init: full", "cloud-init: subset\ncloud-init-modules: [runcmd]",
                "11:21: cloud-init-modules: only an image with 'cloud-init: full' has modules of it"
            ),
        ]
    )
    func oneMistake(from: String, to: String, start: String) throws {
        let found = try problems(changing: from, to: to)
        #expect(found.count == 1 && found[0].hasPrefix(start), "\(found)")
    }

    @Test("a recipe without versions is none")
    func noVersions() throws {
        let found = try problems(changing: "{ \"10\": {}, \"9\": { GREETING: hello } }", to: "{}")
        #expect(found == ["12:11: versions: expected at least one version, found an empty map"])
    }

    @Test("all problems are reported at once, in the order of the file")
    func allAtOnce() throws {
        let text = RecipeFixture.text.replacing("processors: 2", with: "processors: 0")
            .replacing("name: web", with: "nmae: web").replacing("trixie", with: "Trixie")
            .replacing("assemble.sh", with: "nothing.sh")
        let found = try RecipeFixture(text).problems
        #expect(found.map { $0.prefix { $0 != " " } } == ["1:1:", "2:1:", "4:18:", "5:11:", "9:13:"], "\(found)")
    }

    @Test("a lab is no recipe, and is told so in one sentence")
    func lab() throws {
        let found = try RecipeFixture("kiln: 1\nname: web\nlab: { servers: { web: { image: tiny } } }\n").problems
        #expect(found.count == 1 && found[0].contains("check it with 'kiln scenario lint"), "\(found)")
    }

    @Test("only regular files are read", arguments: ["/dev/zero", "/no/such/file", "/tmp", "/etc/os-release/x"])
    func irregular(path: String) {
        let error = #expect(throws: InvalidFile.self) { try Recipe(at: path) }
        #expect(error?.kilnError.code == .recipeInvalid && error?.kilnError.exit == .invalidFile)
    }

    @Test("a folder without a recipe is told from a recipe that is wrong")
    func missing() throws {
        let folder = try TemporaryDirectory()
        #expect { try Recipe(folder: folder.path) } throws: { ($0 as? KilnError)?.code == .recipeMissing }
        let wrong = try RecipeFixture("kiln-image: 1\n")
        #expect { try Recipe(folder: wrong.path) } throws: {
            ($0 as? InvalidFile)?.kilnError.code == .recipeInvalid
        }
    }

    @Test("a mutated recipe is read or refused, with places in the file", .timeLimit(.minutes(2)))
    func mutations() throws {
        let fixture = try RecipeFixture()
        let original = Array(RecipeFixture.text.utf8)
        var state: UInt64 = 1
        func random(below limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(limit))
        }
        let scraps = [
            "[", "]", "{", "}", ":", "- ", "\n", "\"", "'", "*a", "&a ", "!!int ", "\0", "\t", "? ", "\u{e000}", "0",
        ]
        var accepted = 0
        for _ in 0..<2000 {
            var bytes = original
            for _ in 0...random(below: 3) {
                let place = random(below: bytes.count)
                let length = min(random(below: 4), bytes.count - place)
                bytes.replaceSubrange(place..<place + length, with: Array(scraps[random(below: scraps.count)].utf8))
            }
            try Data(bytes).write(to: URL(fileURLWithPath: fixture.file))
            do throws(InvalidFile) {
                accepted += try Recipe(at: fixture.file).name.text == "web" ? 1 : 0
            } catch {
                #expect(
                    !error.problems.isEmpty
                        && error.problems.allSatisfy { $0.position.line > 0 && $0.position.column > 0 }
                )
            }
        }
        #expect((1..<2000).contains(accepted))
    }

    @Test("a changed byte, mode or name in the folder is another recipe, and so is another version")
    func digest() throws {
        let folder = try RecipeFixture()
        let program = folder.path + "/assemble.sh"
        let recipe = try Recipe(folder: folder.path)
        func digests() throws -> [ImageDigest] { try recipe.versions.map { try recipe.contentDigest(of: $0) } }
        var seen = Set(try digests())
        #expect(seen.count == 2)
        #expect(try Set(digests()) == seen)
        _ = try folder.folder.file("web/assemble.sh", [2])
        #expect(try seen.isDisjoint(with: digests()))
        seen.formUnion(try digests())
        chmod(program, 0o644)
        #expect(try seen.isDisjoint(with: digests()))
        seen.formUnion(try digests())
        rename(program, program + "2")
        #expect(try seen.isDisjoint(with: digests()))
    }

    @Test("however a recipe is called, it is the same one")
    func place() throws {
        let fixture = try RecipeFixture()
        let recipe = try Recipe(folder: fixture.path)
        for path in [fixture.file, fixture.path + "/", fixture.folder.path + "/web/../web"] {
            #expect(try Recipe(at: path) == recipe)
        }
    }

    @Test("mirrors and keyrings are one or more, and a keyring's content is a part of the recipe wherever it lies")
    func mirrors() throws {
        let folder = try TemporaryDirectory()
        let key = try folder.file("key.gpg", [0x99, 1])
        func recipe(_ more: String) throws -> (Recipe, RecipeFixture) {
            let fixture = try RecipeFixture(
                RecipeFixture.text.replacing("packages: [curl]", with: more + "packages: [curl]")
            )
            _ = try fixture.folder.file("web/keys/own.asc", Array("-----BEGIN PGP PUBLIC KEY BLOCK-----".utf8))
            return (try Recipe(folder: fixture.path), fixture)
        }
        let both = "mirror: [http://m.example/debian, 'deb [trusted=yes] http://m.example x main'], "
        let (named, fixture) = try recipe(both + "keyring: [keys/own.asc, \(key)], ")
        #expect(
            named.assembly?.debian.mirrors == ["http://m.example/debian", "deb [trusted=yes] http://m.example x main"]
        )
        #expect(named.assembly?.debian.keyrings == [fixture.path + "/keys/own.asc", key])
        #expect(try recipe("mirror: http://m.example, ").0.assembly?.debian.mirrors == ["http://m.example"])
        #expect(try recipe("").0.assembly?.debian.keyrings == [])
        let version = try #require(named.versions.first)
        let before = try named.contentDigest(of: version)
        _ = try folder.file("key.gpg", [0x99, 2])
        #expect(try named.contentDigest(of: version) != before)
    }

    @Test(
        "what is no mirror or no keyring is named with its place",
        arguments: [
            "mirror: m.example", "mirror: 'deb http://m.example'", "mirror: 'deb-src http://m.example x main'",
            "keyring: keys/none.gpg", "keyring: /etc/hostname",
        ]
    )
    func noMirrors(line: String) throws {
        let found = try problems(changing: "packages: [curl]", to: "packages: [curl], \(line)")
        #expect(found.count == 1 && found[0].hasPrefix("4:"), "\(found)")
    }
}
