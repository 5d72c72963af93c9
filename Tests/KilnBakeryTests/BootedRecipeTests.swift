import KilnModel
import KilnTestSupport
import Testing

@testable import KilnBakery

@Suite("Recipes of bakes in a machine")
struct BootedRecipeTests {
    private static let head = """
        kiln-image: 1
        name: web
        about: A server.

        """
    private static let from =
        head + """
            from: debian-cloud:13
            bake: booted
            provision: [{ packages: [nginx] }]
            versions: { "1": {} }
            """
    private static let download =
        head + """
            download: { urls: ['https://a.example/disk'], sums: SHA512SUMS }
            provision: [{ packages: [nginx] }]
            memory: 1GiB
            processors: 2
            cloud-init: full
            ssh: true
            versions: { "1": {} }
            """

    private func problems(_ text: String, beside: [String: String] = [:]) throws -> [String] {
        let fixture = try RecipeFixture(text)
        for (name, other) in beside { _ = try fixture.folder.file("\(name)/image.yaml", Array(other.utf8)) }
        return withExtendedLifetime(fixture) { fixture.problems }
    }

    @Test("where steps are done reaches the model, and is a tree where nothing is said")
    func room() throws {
        #expect(try RecipeFixture(Self.from).recipe().room == .booted)
        #expect(try RecipeFixture().recipe().room == .chroot)
        let found = try problems(Self.from.replacing("booted", with: "boote"))
        let expected = "5:7: bake: expected one of chroot, booted"
        #expect(found.count == 1 && found.first?.hasPrefix(expected) == true, "\(found)")
    }

    @Test("steps on a disk that is downloaded, by this recipe or one beside it, need a machine, and the hint says so")
    func partitions() throws {
        let found = try problems(Self.download)
        #expect(found.count == 1 && found.first?.hasPrefix("5:12: provision: ") == true, "\(found)")
        #expect(found.first?.hasSuffix("'bake: booted'") == true)
        #expect(try problems(Self.download + "\nbake: booted") == [])

        let cloud = Self.download.replacing("name: web", with: "name: debian-cloud")
        let middle = Self.from.replacing("name: web", with: "name: middle")
        let beside = ["debian-cloud": cloud, "middle": middle]
        for parent in ["debian-cloud:13", "middle"] {
            let text = Self.from.replacing("debian-cloud:13", with: parent)
            #expect(try problems(text, beside: beside) == [])
            let tree = try problems(text.replacing("bake: booted\n", with: ""), beside: beside)
            #expect(tree.count == 1 && tree.first?.hasPrefix("4:7: from: ") == true, "\(tree)")
            #expect(tree.first?.hasSuffix("say 'bake: booted'") == true, "\(tree)")
        }
    }

    @Test("what a machine can't do is refused by name")
    func refused() throws {
        let outside = "[{ shell: { run: assemble.sh, outside: true, shared: [initrd] } }]"
        let shell = try problems(Self.from.replacing("[{ packages: [nginx] }]", with: outside))
        #expect(shell.count == 1 && shell.first?.contains("works on a tree") == true, "\(shell)")
        let mirror = "[{ packages: { install: [nginx], mirror: 'deb [trusted=yes] file:/srv/debian trixie main' } }]"
        let packages = try problems(Self.from.replacing("[{ packages: [nginx] }]", with: mirror))
        #expect(packages.count == 1 && packages.first?.contains("does not reach the files") == true, "\(packages)")
        let disk = try problems(Self.from + "\ndisk: 4GiB")
        #expect(disk.count == 1 && disk.first?.contains("has the size") == true, "\(disk)")
        let debian = try problems(
            Self.from.replacing("from: debian-cloud:13", with: "debian: { suite: trixie, variant: minbase }")
                + "\ndisk: 1GiB\ncommand-line: quiet\nmemory: 256MiB\nprocessors: 1\ncloud-init: full\nssh: true"
        )
        #expect(debian.contains { $0.contains("there is no machine to bake in yet") }, "\(debian)")
    }

    @Test("a parent with a boot loader of its own is refused without a machine, and a command line with one")
    func parent() throws {
        let world = try FakeWorld()
        let image = try world.images.add("1", firmware: .bios)
        let fixture = try RecipeFixture(Self.from.replacing("bake: booted\n", with: ""))
        let recipe = try fixture.recipe()
        let error = #expect(throws: KilnError.self) {
            try BakePlan(recipe, recipe.versions[0], parent: image, tools: BakeTools(versions: [:]))
        }
        #expect(error?.code == .recipeParentBootsItself && error?.hint?.contains("bake: booted") == true)
        let line = try RecipeFixture(Self.from + "\ncommand-line: quiet").recipe()
        let refused = #expect(throws: KilnError.self) {
            try BakePlan(line, line.versions[0], parent: image, tools: BakeTools(versions: [:]))
        }
        #expect(refused?.message.contains("command-line") == true)
    }

    @Test("the disk of a recipe that downloads one is an image of its own, without the steps")
    func published() throws {
        let recipe = try RecipeFixture(Self.download + "\nbake: booted").recipe()
        let published = try recipe.asPublished()
        #expect(published.name.text == "web-download" && published.provisioners.isEmpty)
        #expect(published.room == .chroot && published.download == recipe.download)
    }
}
