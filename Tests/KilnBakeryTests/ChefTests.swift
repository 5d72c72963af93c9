import Glibc
import KilnModel
import KilnSystem
import KilnTestSupport
import Testing

@testable import KilnBakery
@testable import KilnStore

/// Debian has no Chef, so a stand-in is on the tree's PATH: what it is told, and what becomes of what it does, is Kiln's affair.
@Suite(
    "The chef step",
    .enabled(if: geteuid() == 0, "a plain user needs subordinate ids"),
    .timeLimit(.minutes(3))
)
struct ChefTests {
    private static let step = "{ chef: { folder: chef, run-list: ['recipe[web::default]', db], network: false } }"

    private func world(_ client: String, as name: String = "chef-client", steps: String = step) throws -> BakeWorld {
        let world = try BakeWorld(provision: "[{ files: { from: root, to: / } }, \(steps)]")
        _ = try world.folder.file("Images/web/chef/cookbooks/web/recipes/default.rb", Array("file '/etc/web'\n".utf8))
        try world.program("root/usr/local/bin/\(name)", client)
        return world
    }

    @Test("the client gets the run list in local mode, beside a copy of the cookbooks", arguments: ["chef", "cinc"])
    func told(name: String) async throws {
        let client = "echo \"$*\" > /etc/told; cat cookbooks/web/recipes/default.rb > /etc/cookbook; echo x > ./written"
        let world = try world(client, as: name + "-client")
        let image = try #require(await world.bake().first)
        let told = try await world.content("etc/told", of: image)
        #expect(
            told.hasPrefix("--local-mode ") && told.hasSuffix(" --override-runlist recipe[web::default],db"),
            "\(told)"
        )
        #expect(try await world.content("etc/cookbook", of: image) == "file '/etc/web'")
        #expect(world.lines().contains { $0.contains("once more: a second run has to change nothing") })
    }

    @Test("a cookbook that changes something every time is refused, and the path is named, whatever the client says")
    func twice() async throws {
        let world = try world("echo x >> /etc/counter; echo '0 resources updated'")
        let error = await #expect(throws: KilnError.self) { try await world.bake() }
        #expect(error?.code == .bakeNotRepeatable && error?.message.contains("/etc/counter") == true)
        #expect(try world.store.list().isEmpty)
    }

    @Test("a client that fails fails the step with its last words")
    func failing() async throws {
        let world = try world("echo 'No such cookbook: web' >&2; exit 1")
        let error = await #expect(throws: KilnError.self) { try await world.bake() }
        #expect(error?.code == .bakeStepFailed && error?.cause?.contains("No such cookbook: web") == true)
    }

    @Test("a tree without a client is told what to do")
    func missing() async throws {
        let world = try world("exit 0", as: "other")
        let error = await #expect(throws: KilnError.self) { try await world.bake() }
        #expect(error?.code == .bakeStepFailed && error?.cause?.contains("name a package file with 'package:'") == true)
    }

    @Test("a package that the recipe names is installed before, by the tree's own dpkg")
    func package() async throws {
        let step = "{ chef: { folder: chef, run-list: [web], package: chef.deb, keep: true } }"
        let world = try world("exit 0", as: "other", steps: step)
        // busybox's dpkg wants its folders.
        for file in ["status", "info/format"] { _ = try world.folder.file("Images/web/root/var/lib/dpkg/\(file)", []) }
        try world.program("package/usr/local/bin/chef-client", "echo ran > /etc/ran")
        let control = "Package: chef\nVersion: 18\nArchitecture: all\nMaintainer: a <a@b.c>\nDescription: a client\n"
        _ = try world.folder.file("Images/web/package/DEBIAN/control", Array(control.utf8))
        let recipe = world.folder.path + "/Images/web"
        try await Command("dpkg-deb", ["-Zgzip", "-b", recipe + "/package", recipe + "/chef.deb"]).run()
        let image = try #require(await world.bake().first)
        #expect(try await world.content("var/lib/dpkg/status", of: image).contains("Status: install ok installed"))
        #expect(try await world.content("etc/ran", of: image) == "ran")
    }
}
