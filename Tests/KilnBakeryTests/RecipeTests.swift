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
        #expect(
            recipes.map(\.name.text) == [
                "cfengine", "debian-12", "debian-13", "debian-cloud", "etcd", "nfs", "nginx", "notes", "postgres",
                "puppet-agent", "rsyslog", "tiny", "ubuntu-cloud", "zookeeper",
            ]
        )
        for recipe in recipes {
            #expect((!recipe.provisioners.isEmpty || recipe.download != nil) && !recipe.versions.isEmpty)
        }
    }

    @Test("a mirror that has no place for the day of 'snapshot' pins nothing, and is refused with the way out")
    func unpinned() throws {
        let dated = RecipeFixture.text + "\nsnapshot: 2026-11-01"
        func problems(_ mirror: String) throws -> [String] {
            try RecipeFixture(dated.replacing("packages: [curl]", with: "mirror: '\(mirror)'")).problems
        }
        let found = try problems("http://m.example/debian")
        #expect(
            found.count == 1
                && found[0].hasPrefix("4:9: debian: the mirror 'http://m.example/debian' has no '{snapshot}'")
        )
        #expect(found.first?.contains("or leave 'snapshot' out") == true)
        #expect(try problems("http://m.example/{snapshot}/debian").isEmpty)
        #expect(try problems("http://m.example/20261101T120000Z/debian").isEmpty)
        let step = "provision: [{ packages: { install: [curl], mirror: 'http://m.example/debian' } }, "
        let later = try RecipeFixture(dated.replacing("provision: [", with: step)).problems
        #expect(later.count == 1 && later[0].contains("provision[0]: the mirror"), "\(later)")
    }

    @Test("every field reaches the model")
    func everyField() throws {
        let more =
            "\ncpu: x86-64-v3\nsnapshot: 2026-11-01\nvolatile-root: true\nflash: true\nephemeral: [/run, '/etc/a b']"
        let fixture = try RecipeFixture(RecipeFixture.text + more)
        let recipe = try Recipe(folder: fixture.path)
        #expect(recipe.folder == fixture.path)
        #expect(recipe.name.text == "web" && recipe.about == "A server.")
        let debian = Recipe.Debian(suite: "trixie", variant: "minbase", packages: ["curl"], mirrors: [], keyrings: [])
        #expect(recipe.base == .debian(debian) && recipe.snapshot?.stamp == "20261101T000000Z")
        #expect(recipe.provisioners.map(\.summary) == ["shell assemble.sh beside the tree"])
        let settings = recipe.settings
        #expect(settings.disk == ByteCount("1GiB") && settings.commandLine == "quiet")
        #expect(settings.memory == .mebibytes(256) && settings.processors == 2 && settings.cpu == .level3)
        #expect(
            settings.cloudInit == .full && settings.ssh == true && settings.volatileRoot == true
                && settings.flash == true
        )
        #expect(settings.ephemeral == ["/run", "/etc/a b"])
    }

    @Test("a suite alone is its minbase, and the same image as when that is written out")
    func suite() throws {
        let long = "{ suite: trixie, variant: minbase, packages: [curl] }"
        let fixture = try RecipeFixture(RecipeFixture.text.replacing(long, with: "trixie"))
        #expect(try fixture.recipe().debian == Recipe.Debian(suite: "trixie"))
        let written = try RecipeFixture(RecipeFixture.text.replacing(", packages: [curl]", with: ""))
        #expect(try fixture.keys() == written.keys())
        #expect(
            try problems(changing: long, to: "Trixie").first?.hasPrefix("4:9: debian: expected a suite's code name")
                == true
        )
        #expect(try problems(changing: long, to: "[trixie]").first?.contains("a suite, or a map with") == true)
    }

    @Test("each kind of step reaches the model, in order, in its short form and in its long one")
    func steps() throws {
        let steps = """
            provision:
              - packages: [sqlite3, curl]
              - packages: { install: [jq], mirror: http://m.example/debian, timeout: 5m, network: false }
              - files: { from: root, to: / }
              - files: { from: assemble.sh, to: /usr/local/bin/a, owner: 'www-data:adm' }
              - shell: assemble.sh
              - shell: { run: assemble.sh, with: [root], env: { MODE: 0644 }, network: true }
            """
        let fixture = try RecipeFixture(
            RecipeFixture.text.replacing("provision: [{ shell: { run: assemble.sh, outside: true } }]", with: steps)
        )
        _ = try fixture.folder.file("web/root/etc/motd", [1])
        let provisioners = try fixture.recipe().provisioners
        #expect(
            provisioners.map(\.summary) == [
                "packages sqlite3, curl", "packages jq", "files root → /", "files assemble.sh → /usr/local/bin/a",
                "shell assemble.sh", "shell assemble.sh",
            ]
        )
        #expect(provisioners.map(\.network) == [true, false, false, false, false, true])
        #expect(provisioners[1].timeout == .seconds(300) && provisioners[0].timeout == .seconds(1800))
        #expect(
            provisioners.map(\.files) == [[], [], ["root"], ["assemble.sh"], ["assemble.sh"], ["assemble.sh", "root"]]
        )
        let (files, shell) = (provisioners[3] as? FilesProvisioner, provisioners[5] as? ShellProvisioner)
        #expect(files?.owner == "www-data:adm" && shell?.environment == ["MODE": "0644"])
    }

    @Test("a recipe with a parent says only what is different")
    func parent() throws {
        let text = """
            kiln-image: 1
            name: web
            about: A server.
            from: debian-13:1
            versions: { "1": {}, "2": { from: debian-13:2, GREETING: hello } }
            """
        let recipe = try RecipeFixture(text).recipe()
        let parents = recipe.versions.map { recipe.base(of: $0) }
        #expect(parents[0] == .image(try ImageReference("debian-13:1")))
        #expect(recipe.versions[1].variables == ["GREETING": "hello"])
        #expect(recipe.settings == Recipe.Settings())
    }

    @Test("a version may have steps of its own, which come first")
    func stepsOfVersion() throws {
        let text = """
            kiln-image: 1
            name: web
            about: A server.
            from: debian-13:1
            provision: [{ shell: assemble.sh }]
            versions: { "1": { provision: [{ packages: [curl] }], A: b }, "2": {} }
            """
        let recipe = try RecipeFixture(text).recipe()
        #expect(recipe.versions[0].variables == ["A": "b"])
        #expect(
            recipe.versions.map { recipe.provisioners(of: $0).map(\.summary) } == [
                ["packages curl", "shell assemble.sh"], ["shell assemble.sh"],
            ]
        )
    }

    @Test("files of an image keep their owners, have absolute paths, and are copied into trees only")
    func filesOfImage() throws {
        func problems(_ files: String, _ more: String = "") throws -> [String] {
            let text = """
                kiln-image: 1
                name: web
                about: A server.
                from: debian-13:1
                versions: { "1": { provision: [{ files: { \(files) } }] } }
                \(more)
                """
            return try RecipeFixture(text).problems
        }
        let files = "image: \"web:9\", from: /srv, to: /srv"
        #expect(try problems(files).isEmpty)
        #expect(try problems(files + ", owner: root").first?.contains("files of an image keep their owners") == true)
        #expect(
            try problems(files.replacing("/srv,", with: "srv,")).first?.contains("an absolute path of the image")
                == true
        )
        #expect(try problems(files.replacing("\"web:9\"", with: "web:9:9")).first?.contains("an image: name") == true)
        #expect(try problems(files, "bake: booted").first?.contains("copied into a tree only") == true)
        #expect(try problems("from: /srv, to: /srv").first?.contains("without '..'") == true)
    }

    @Test("packages are refused where the tree has no dpkg, in the second generation too")
    func unpackedOnly() throws {
        let text = """
            kiln-image: 1
            name: web
            about: A server.
            from: middle:1
            provision: [{ packages: [curl] }]
            versions: { "1": {} }
            """
        let fixture = try RecipeFixture(text)
        #expect(fixture.problems.isEmpty, "nothing is known of the parent")
        _ = try fixture.folder.file("middle/image.yaml", Array("from: base:1".utf8))
        _ = try fixture.folder.file("base/image.yaml", Array("debian: { variant: extract }".utf8))
        #expect(
            fixture.problems.count == 1
                && fixture.problems[0].hasPrefix("5:13: provision[0]: packages can't be installed: middle is unpacked")
        )
        let elsewhere = try TemporaryDirectory()
        let far = try RecipeFixture(text.replacing("middle", with: "far"))
        _ = try elsewhere.file("far/image.yaml", Array("debian: { variant: extract }".utf8))
        let error = #expect(throws: InvalidFile.self) {
            try Recipe(at: far.file, parents: { name in "\(elsewhere.path)/\(name)" })
        }
        #expect(error?.problems.count == 1, "a parent that is installed")
        let own = try RecipeFixture(
            text.replacing("from: middle:1", with: "from: debian-13:1").replacing("{}", with: "{ from: base:1 }")
        )
        _ = try own.folder.file("base/image.yaml", Array("debian: { variant: extract }".utf8))
        #expect(own.problems.count == 1, "a parent of a version: \(own.problems)")
        for (steps, count) in [("", 1), ("{ shell: assemble.sh }, ", 0)] {
            let tool = try RecipeFixture(
                text.replacing("middle", with: "base").replacing(
                    "[{ packages: [curl] }]",
                    with: "[\(steps){ ansible: { playbook: play.yml } }]"
                )
            )
            _ = try tool.folder.file("web/play.yml", [1])
            _ = try tool.folder.file("base/image.yaml", Array("debian: { variant: extract }".utf8))
            #expect(tool.problems.count == count, "\(tool.problems)")
        }
        _ = try fixture.folder.file("base/image.yaml", Array("from: middle:1".utf8))
        #expect(fixture.problems.isEmpty, "a circle ends")
    }

    @Test(
        "what a tree begins as is said once",
        arguments: [
            (
                "debian: {", "from: tiny:1\ndebian: {",
                "4:7: from: a recipe begins with one of 'debian', 'from' and 'download'"
            ),
            (
                "debian: { suite: trixie, variant: minbase, packages: [curl] }\n", "",
                "1:1: expected 'debian', 'from' or 'download': what the image begins as"
            ),
            (
                "debian: { suite: trixie, variant: minbase, packages: [curl] }", "from: 'tiny:'",
                "4:7: from: expected an image"
            ),
        ]
    )
    func oneBase(from: String, to: String, start: String) throws {
        let found = try problems(changing: from, to: to)
        #expect(found.count == 1 && found[0].hasPrefix(start), "\(found)")
    }

    @Test("the recipe of Debian 13 names the modules that its cloud-init runs")
    func modules() throws {
        let folder = "\(RecipeTests.images)/debian-13"
        let text = try String(contentsOfFile: RecipeTests.images + "/debian/root/etc/cloud/cloud.cfg", encoding: .utf8)
        let lists = text.replacing("\n  ", with: " ").split(separator: "\n").filter { $0.contains("_modules: [") }
        #expect(lists.count == 3)
        let modules = lists.flatMap { $0.split { !($0.isLetter || $0 == "_") }.dropFirst().map(String.init) }
        #expect(try Recipe(folder: folder).settings.cloudInitModules?.sorted() == modules.sorted())
    }

    @Test("versions come oldest first, with their variables")
    func versions() throws {
        let recipe = try RecipeFixture().recipe()
        #expect(recipe.versions.map(\.name) == ["9", "10"])
        #expect(recipe.versions.first?.variables == ["GREETING": "hello"])
        #expect(recipe.settings.ephemeral.isEmpty && recipe.settings.volatileRoot == nil && recipe.settings.cpu == nil)
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
        #expect(try problems(changing: "disk:", to: "ephemeral: []\ndisk:").isEmpty)
        #expect(try problems(changing: "[{ shell: { run: assemble.sh, outside: true } }]", to: "[]").isEmpty)
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
            ("assemble.sh", "../x", "5:29: provision[0].shell.run: expected a path below the recipe's folder"),
            ("assemble.sh", "image.yaml", "5:29: provision[0].shell.run: 'image.yaml' may not be executed: 'chmod +x"),
            (
                "assemble.sh", "none",
                "5:29: provision[0].shell.run: expected a file of the recipe's folder, which has no"
            ),
            (
                "outside: true", "outside: true, shared: [iinit]",
                "5:66: provision[0].shell.shared[0]: expected a folder beside"
            ),
            (
                "outside: true", "shared: [initrd]",
                "5:50: provision[0].shell.shared: only a program 'outside: true' has"
            ),
            (
                "{ shell:", "{ shel:",
                "5:15: provision[0].shel: unknown provisioner (did you mean 'shell'?); expected one of"
            ),
            (
                "outside: true", "outside: true, network: false",
                "5:66: provision[0].shell.network: a program 'outside: true'"
            ),
            ("disk:", "assemble: a\ndisk:", "6:1: assemble: unknown field (it is a step: 'provision: [{ shell: { run"),
            ("disk:", "snapshot: today\ndisk:", "6:11: snapshot: expected a day such as 2026-11-01, found 'today'"),
            ("disk:", "snapshot: 2026-13-01\ndisk:", "6:11: snapshot: expected a day such as 2026-11-01"),
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
        #expect(found.map { $0.prefix { $0 != " " } } == ["1:1:", "2:1:", "4:18:", "5:29:", "9:13:"], "\(found)")
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

    @Test("a changed byte or mode of a file that a step uses is another image, and so is another version")
    func keys() throws {
        let fixture = try RecipeFixture()
        var seen = Set(try fixture.keys())
        #expect(seen.count == 2)
        #expect(try Set(fixture.keys()) == seen)
        _ = try fixture.folder.file("web/assemble.sh", [2])
        #expect(try seen.isDisjoint(with: fixture.keys()))
        seen.formUnion(try fixture.keys())
        _ = try fixture.folder.file("web/notes.txt", [1])
        #expect(try Set(fixture.keys()).isSubset(of: seen), "nobody uses it")
    }

    @Test("a copy of a recipe under another name has steps of its own: programs are told the name")
    func renamed() throws {
        let keys = try ["web", "copy"].map { name in
            let fixture = try RecipeFixture()
            let folder = "\(fixture.folder.path)/\(name)"
            if name != "web" { try FileManager.default.copyItem(atPath: fixture.path, toPath: folder) }
            let text = RecipeFixture.text.replacing("name: web", with: "name: \(name)")
            _ = try fixture.folder.file("\(name)/image.yaml", Array(text.utf8))
            let recipe = try Recipe(folder: folder)
            let version = try #require(recipe.versions.first)
            return try BakePlan(recipe, version, parent: nil, tools: BakeTools(versions: [:])).steps.map(\.key)
        }
        #expect(keys[0][0] == keys[1][0] && keys[0][1] != keys[1][1])
    }

    @Test("however a recipe is called, it is the same one")
    func place() throws {
        let fixture = try RecipeFixture()
        let recipe = try Recipe(folder: fixture.path)
        for path in [fixture.file, fixture.path + "/", fixture.folder.path + "/web/../web"] {
            #expect(try Recipe(at: path).folder == recipe.folder)
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
        #expect(named.debian?.mirrors == ["http://m.example/debian", "deb [trusted=yes] http://m.example x main"])
        #expect(named.debian?.keyrings == [fixture.path + "/keys/own.asc", key])
        #expect(try recipe("mirror: http://m.example, ").0.debian?.mirrors == ["http://m.example"])
        #expect(try recipe("").0.debian?.keyrings.isEmpty == true)
        let before = try fixture.keys()
        _ = try folder.file("key.gpg", [0x99, 2])
        #expect(try fixture.keys() != before)
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

extension Recipe {
    var debian: Debian? {
        guard case .debian(let debian) = base else { return nil }
        return debian
    }
}
