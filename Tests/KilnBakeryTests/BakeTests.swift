import Foundation
import KilnModel
import KilnSystem
import KilnTestSupport
import Synchronization
import Testing

@testable import KilnBakery
@testable import KilnStore

@Suite(
    "Bakes of a tree that is there already",
    .enabled(if: geteuid() == 0, "a plain user needs subordinate ids"),
    .timeLimit(.minutes(3))
)
struct BakeTests {
    @Test("steps are done in order, each in a room of its own, and nothing of the room stays")
    func inOrder() async throws {
        let world = try BakeWorld(provision: "[{ files: { from: root, to: / } }, { shell: look.sh }]")
        _ = try world.folder.file("Images/web/root/etc/web/motd", Array("hello\n".utf8))
        _ = try world.folder.file("Images/web/secret", [1])
        try world.program(
            "look.sh",
            """
            {
                echo "$GREETING $KILN_NAME $KILN_VERSION $(cat /etc/web/motd) in $(pwd) with $(ls)"
                (echo x > ./written) 2> /dev/null || echo "the recipe can't be written"
                cat < /dev/null && echo x > /dev/null && [ -c /dev/urandom ] && echo "devices"
                ls /sys/class/net; ls /usr/sbin
                echo "processes: $(ls /proc | while read -r p; do case $p in [0-9]*) echo "$p" ;; esac; done | wc -l)"
            } > /etc/seen
            sleep 60 &
            """
        )
        let image = try #require(await world.bake().first)
        let seen = try await world.content("etc/seen", of: image)
        #expect(seen.contains("hello web 1 hello in /run/kiln/recipe with look.sh\n"), "\(seen)")
        #expect(seen.contains("the recipe can't be written\ndevices\nlo\npolicy-rc.d\n"), "\(seen)")
        let lines = world.lines()
        #expect(lines.contains { $0.contains("left running, and ended: sleep 60") }, "\(lines)")
        #expect(try await world.content("etc/web/motd", of: image) == "hello")
        let names = try await Command(
            "tar",
            ["-tf", StepCache(store: world.store).tree(of: image.manifest.digest)]
        ).run().text
        #expect(
            !names.contains("policy-rc.d") && !names.contains("run/kiln") && !names.contains("dev/null"),
            "\(names)"
        )
    }

    @Test("what was done is reused, a changed step is where it begins again, and why is said")
    func reused() async throws {
        let world = try BakeWorld(provision: "[{ shell: one.sh }, { shell: two.sh }]")
        try world.program("one.sh", "echo 1 > /etc/one")
        try world.program("two.sh", "cat /etc/one > /etc/two")
        let first = try #require(await world.bake().first)
        _ = world.lines()
        #expect(try await world.bake().first?.manifest.digest == first.manifest.digest)
        #expect(world.lines() == ["web:1 is baked already"])

        try world.program("two.sh", "echo 2 > /etc/two")
        let second = try #require(await world.bake().first)
        let lines = world.lines()
        #expect(lines.contains { $0.hasPrefix("web:1: step 2/4 shell one.sh (reused, ") }, "\(lines)")
        #expect(lines.contains("web:1: step 3/4 shell two.sh (changed: file two.sh)"), "\(lines)")
        #expect(lines.contains("web:1: step 4/4 cleaning (after a changed step)"), "\(lines)")
        #expect(try await world.content("etc/two", of: second) == "2")
        #expect(second.manifest.recipe != first.manifest.recipe)
    }

    @Test("a step that fails is named, its tree is kept, and the bake goes on with what was mended in it")
    func kept() async throws {
        let world = try BakeWorld(provision: "[{ shell: one.sh }, { shell: two.sh }]")
        try world.program("one.sh", "echo 1 > /etc/one")
        try world.program("two.sh", "cat /etc/missing > /etc/two")
        let error = await #expect(throws: KilnError.self) { try await world.bake() }
        #expect(error?.code == .bakeStepFailed && error?.exit == .aborted)
        #expect(error?.message.hasPrefix("web:1 failed at step 3, shell two.sh: ") == true, "\(error?.message ?? "")")
        #expect(error?.cause?.contains("/etc/missing") == true)
        #expect(error?.hint?.contains("kiln image enter web:1") == true)
        #expect(try world.store.list().isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: world.store.work).isEmpty)

        let kept = KeptTree(store: world.store, name: try Name("web"), version: "1")
        #expect(kept.step == 3)
        try Data("mended\n".utf8).write(to: URL(fileURLWithPath: kept.path + "/etc/missing"))
        var options = Baker.Options()
        options.fromStep = 4
        #expect(await #expect(throws: KilnError.self) { try await world.bake(options) }?.code == .bakeNothingKept)
        options.fromStep = 3
        let image = try #require(await world.bake(options).first)
        #expect(image.manifest.recipe == nil, "what a person changed is no bake of the recipe")
        #expect(ImageSuite(of: image.manifest, tests: []).depth == .full, "it was baked all the same")
        #expect(kept.step == nil)
        // The recipe itself is still what it was.
        #expect(await #expect(throws: KilnError.self) { try await world.bake() }?.code == .bakeStepFailed)
    }

    @Test("only who bakes reaches a tree: while it is baked, and where it is kept after a failure")
    func closed() async throws {
        let world = try BakeWorld(provision: "[{ shell: one.sh }]")
        try world.program("one.sh", "exit 1")
        try await world.begin()
        let store = world.store
        let modes = Mutex<[Int]>([])
        let baker = Baker(store: store, roots: UnlistedRoots()) { line in
            guard line.contains("step 2/") else { return }
            let folders = (try? FileManager.default.contentsOfDirectory(atPath: store.work)) ?? []
            modes.withLock { $0 = folders.map { Self.mode("\(store.work)/\($0)") } }
        }
        _ = await #expect(throws: KilnError.self) { try await baker.bake(world.recipe) }
        let seen = modes.withLock { $0 }
        #expect(seen == [0o700])
        let kept = KeptTree(store: store, name: try Name("web"), version: "1")
        #expect(Self.mode(DurableFile.directory(of: kept.path)) == 0o700 && Self.mode(kept.path) == 0o755)
    }

    private static func mode(_ path: String) -> Int {
        var found = stat()
        return lstat(path, &found) == 0 ? Int(found.st_mode & 0o777) : -1
    }

    @Test("changed tests go beside the same image, aloud, and what passed those of before is untested")
    func changedTests() async throws {
        let provision = "[{ shell: one.sh }]"
        let world = try BakeWorld(provision: provision)
        try world.program("one.sh", "echo 1 > /etc/one")
        let first = try #require(await world.bake().first)
        try world.store.attest(
            Attestation(
                image: first.manifest.digest,
                suite: try ImageSuite(of: first.manifest, tests: []).digest,
                assertions: [
                    Assertion(
                        subject: "boot",
                        expected: "booted",
                        found: "booted",
                        outcome: .passed,
                        place: .booted,
                        seconds: 1
                    )
                ],
                acceleration: nil,
                seconds: 1
            )
        )
        #expect(try world.store.isAttested(first.manifest.digest))
        try world.write(provision: provision, more: "tests: [{ file: { path: /etc/one, exists: true } }]")
        _ = world.lines()
        let second = try #require(await world.bake().first)
        #expect(second.manifest.digest == first.manifest.digest)
        #expect(second.manifest.tests?.count == 1)
        #expect(try world.store.find(try ImageReference("web:1")).manifest.tests?.count == 1)
        let said = "channels that point to it make no new machines until it passed again: 'kiln image test web:1'"
        #expect(world.lines().contains { $0.contains("tests changed") && $0.contains(said) })
        #expect(try world.store.verdict(on: first.manifest.digest) == .untested)
        _ = try await world.bake()
        #expect(world.lines() == ["web:1 is baked already"])
    }

    @Test("a step that never ends is ended, with all that it started")
    func deadline() async throws {
        let world = try BakeWorld(provision: "[{ shell: { run: hang.sh, timeout: 2s } }]")
        try world.program("hang.sh", "sleep 3600 & sleep 3600")
        let start = ContinuousClock.now
        let error = await #expect(throws: KilnError.self) { try await world.bake() }
        #expect(error?.code == .toolDeadline, "\(error.map { "\($0)" } ?? "")")
        #expect(ContinuousClock.now - start < .seconds(60))
    }

    @Test("what lies in the tree's own /tmp, /run and /var/tmp is cleaned, and not what a link there leads to")
    func temporary() async throws {
        let world = try BakeWorld(provision: "[{ shell: { run: make.sh, outside: true } }, { shell: leave.sh }]")
        let precious = try world.folder.file("precious/file", [1])
        let outside = DurableFile.directory(of: precious)
        try world.program(
            "make.sh",
            """
            cp -a "$KILN_TREE/." "$KILN_ROOT/"
            mkdir -p "$KILN_ROOT/tmp/a/b" "$KILN_ROOT/run/lock" "$KILN_ROOT/var/tmp"
            echo x > "$KILN_ROOT/tmp/a/b/c"; echo x > "$KILN_ROOT/run/.hidden"; ln -s \(outside) "$KILN_ROOT/run/link"
            """
        )
        try world.program("leave.sh", "echo x > /var/tmp/left; echo x > /var/tmp/..left")
        let image = try #require(await world.bake().first)
        let archive = StepCache(store: world.store).tree(of: image.manifest.digest)
        let names = try await Command("tar", ["-tf", archive]).run().text.split(separator: "\n").map(String.init)
        #expect(names.filter { $0.hasPrefix("./tmp") || $0.hasPrefix("./run") } == ["./run/", "./tmp/"])
        #expect(names.filter { $0.hasPrefix("./var/tmp") } == ["./var/tmp/"])
        #expect(FileManager.default.fileExists(atPath: precious))
    }

    @Test("links of the tree lead nothing out of it")
    func links() async throws {
        let world = try BakeWorld(provision: "[{ shell: link.sh }, { files: { from: motd, to: /out/motd } }]")
        let outside = world.folder.path + "/outside"
        try FileManager.default.createDirectory(atPath: outside, withIntermediateDirectories: false)
        _ = try world.folder.file("Images/web/motd", [1])
        try world.program("link.sh", "ln -s \(outside) /out; ln -s /etc/passwd /etc/machine-id")
        _ = try? await world.bake()
        #expect(try FileManager.default.contentsOfDirectory(atPath: outside).isEmpty)
        #expect(FileManager.default.contents(atPath: "/etc/passwd")?.isEmpty == false)
    }

    @Test(
        "where this host's root can't be left, the tree is the program's root all the same, and what that means is said"
    )
    func rootThatStays() async throws {
        let world = try BakeWorld(provision: "[{ shell: one.sh }]")
        try world.program("one.sh", "echo 1 > /etc/one")
        let image = try #require(await world.bake().first)
        let tree = FileTree(path: world.folder.path + "/tree")
        try DurableFile.makeDirectory(tree.path)
        try await tree.unpack(StepCache(store: world.store).tree(of: image.manifest.digest))
        let refusal = "#!/bin/sh\necho 'Invalid argument' >&2\nexit 1\n"
        let fake = try world.folder.file("programs/pivot_root", Array(refusal.utf8))
        chmod(fake, 0o755)
        let line = ChrootRoom.line(
            root: tree.path,
            recipe: world.folder.path + "/Images/web",
            network: false,
            ["/bin/sh", "-c", "ls; ls /; ls -d /proc/[0-9]*; sleep 60 & exit 7"]
        )
        let path = "PATH=\(DurableFile.directory(of: fake)):/usr/sbin:/usr/bin:/sbin:/bin"
        let (status, lines) = try await Command("env", [path] + line, deadline: .seconds(60)).statusAndLines { _ in }
        #expect(status == 7, "\(lines)")
        #expect(lines.contains { $0.hasPrefix("the room: Invalid argument; this host stays mounted") }, "\(lines)")
        #expect(lines.contains("one.sh") && lines.contains("usr") && !lines.contains("home"), "\(lines)")
        #expect(lines.contains { $0.contains("left running, and ended: sleep 60") }, "\(lines)")
    }

    @Test("a version that begins as an image has its tree, its boot files and what it says of itself")
    func child() async throws {
        let world = try BakeWorld(provision: "[{ shell: one.sh }]")
        try world.program("one.sh", "echo 1 > /etc/one")
        let parent = try #require(await world.bake().first)
        let text = """
            kiln-image: 1
            name: child
            about: A child.
            from: web:1
            memory: 512MiB
            ephemeral: [/var/tmp]
            provision: [{ files: { from: two, to: /etc/two } }]
            versions: { "1": {} }
            """
        _ = try world.folder.file("Images/child/image.yaml", Array(text.utf8))
        _ = try world.folder.file("Images/child/two", Array("2\n".utf8))
        let recipe = try Recipe(folder: world.folder.path + "/Images/child")
        let baker = Baker(store: world.store, roots: UnlistedRoots()) { _ in }
        let child = try #require(await baker.bake(recipe).first)
        #expect(try await world.content("etc/one", of: child) == "1")
        #expect(try await world.content("etc/two", of: child) == "2")
        let manifest = child.manifest
        #expect(manifest.size.memory == .mebibytes(512) && manifest.size.processors == 1 && manifest.cloudInit == .none)
        #expect(manifest.boot == parent.manifest.boot && manifest.files["kernel"] == parent.manifest.files["kernel"])
        #expect(manifest.ephemeral == ["/var/tmp"])
    }

    @Test("a parent that the store lacks is baked first, and recipes that are made from each other are refused")
    func parents() async throws {
        let folder = try TemporaryDirectory()
        for (name, parent) in [("a", "b:1"), ("b", "c:1"), ("c", "a:1")] {
            let text = "kiln-image: 1\nname: \(name)\nabout: x\nfrom: \(parent)\nversions: { '1': {} }\n"
            _ = try folder.file("\(name)/image.yaml", Array(text.utf8))
        }
        let baker = Baker(
            store: ImageStore(root: folder.path + "/store"),
            roots: UnlistedRoots(),
            recipe: { name in try? Recipe(folder: "\(folder.path)/\(name)") },
            tell: { _ in }
        )
        let error = await #expect(throws: KilnError.self) { try await baker.bake(Recipe(folder: folder.path + "/a")) }
        #expect(error?.code == .recipeCycle && error?.message.contains("a from b from c from a") == true)
    }
}
