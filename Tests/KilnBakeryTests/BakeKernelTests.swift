import Foundation
import KilnModel
import KilnSystem
import KilnTestSupport
import Testing

@testable import KilnBakery
@testable import KilnStore

@Suite(
    "The kernel that an image boots with",
    .enabled(if: geteuid() == 0, "a plain user needs subordinate ids"),
    .timeLimit(.minutes(3))
)
struct BakeKernelTests {
    /// A world in which what the versions begin as comes without a kernel.
    private func world(_ program: String) async throws -> BakeWorld {
        let world = try BakeWorld(provision: "[{ shell: one.sh }]")
        try world.program("one.sh", program)
        try await world.begin()
        let recipe = try world.recipe
        let version = try #require(recipe.versions.first)
        let plan = try BakePlan(recipe, version, parent: nil, tools: try await BakeTools.onThisHost())
        let boot = StepCache(store: world.store).boot(try #require(plan.steps.first).key)
        for file in ["kernel", "initrd"] { try FileManager.default.removeItem(atPath: "\(boot)/\(file)") }
        return world
    }

    @Test("where no step left a kernel, the newest in the tree's /boot that has its initrd is taken")
    func newest() async throws {
        let world = try await world(
            """
            mkdir -p /boot && cd /boot
            for version in 6.9.1-1 6.12.38-2; do echo "kernel $version" > vmlinuz-$version; echo "initrd $version" > initrd.img-$version; done
            echo none > vmlinuz-6.13.0-1
            echo out > vmlinuz-6.14.0-1; ln -s /etc/passwd initrd.img-6.14.0-1
            """
        )
        let image = try #require(await world.bake().first)
        let (kernel, initrd) = (try #require(image.kernel), try #require(image.initrd))
        #expect(try String(contentsOfFile: kernel, encoding: .utf8) == "kernel 6.12.38-2\n")
        #expect(try String(contentsOfFile: initrd, encoding: .utf8) == "initrd 6.12.38-2\n")
        #expect(world.lines().contains { $0.contains("takes the kernel 6.12.38-2") })
    }

    @Test("a tree without any is named, with what to install")
    func none() async throws {
        let world = try await world("echo 1 > /etc/one")
        let error = await #expect(throws: KilnError.self) { try await world.bake() }
        #expect(error?.code == .bakeIncomplete && error?.hint?.contains("linux-image-cloud-amd64") == true)
        #expect(error?.message.contains("no kernel") == true)
    }

    @Test("a Debian to which nothing is done has no kernel, which is said before it is fetched")
    func bare() async throws {
        let world = try BakeWorld(provision: "[]")
        let recipe = try world.recipe
        let baker = Baker(store: world.store, roots: UnlistedRoots()) { _ in }
        let error = await #expect(throws: KilnError.self) { try await baker.bake(recipe) }
        #expect(error?.code == .bakeIncomplete)
        #expect(!FileManager.default.fileExists(atPath: world.store.root + "/steps"))
    }
}
