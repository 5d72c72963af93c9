import Foundation
import KilnDocuments
import KilnModel
import KilnSystem
import KilnTestSupport
import Testing

@testable import KilnBakery
@testable import KilnStore

@Suite(
    "Bakes of what is wrong",
    .enabled(if: geteuid() == 0, "a plain user needs subordinate ids"),
    .timeLimit(.minutes(3))
)
struct BakeBadInputTests {
    private func failure(_ world: BakeWorld) async -> KilnError? {
        await #expect(throws: KilnError.self) { try await world.bake() }
    }

    /// That the store has no image, and that nothing is under way in it.
    private func expectNothing(_ world: BakeWorld) throws {
        #expect(try world.store.list().isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: world.store.work).isEmpty)
    }

    @Test("what a step did before it failed is in no later bake")
    func halfWay() async throws {
        let world = try BakeWorld(provision: "[{ shell: one.sh }]")
        try world.program("one.sh", "echo half > /etc/half; exit 1")
        #expect(await failure(world)?.code == .bakeStepFailed)
        try expectNothing(world)
        try world.program("one.sh", "[ ! -e /etc/half ]; echo 1 > /etc/one")
        let image = try #require(await world.bake().first)
        #expect(try await world.content("etc/one", of: image) == "1")
    }

    @Test("a daemon that a step leaves behind, in a session of its own, ends with it")
    func daemon() async throws {
        let world = try BakeWorld(provision: "[{ shell: daemon.sh }]")
        // A number of seconds that no other process sleeps.
        let seconds = 70_000 + Int.random(in: 0..<10_000)
        try world.program("daemon.sh", "busybox setsid sleep \(seconds) > /dev/null 2>&1 < /dev/null &\nsleep 1")
        #expect(try await world.bake().count == 1)
        #expect(world.lines().contains { $0.contains("left running, and ended: ") && $0.contains("sleep \(seconds)") })
        let numbers = try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { Int32($0) }
        let lines = numbers.compactMap { FileManager.default.contents(atPath: "/proc/\($0)/cmdline") }
        #expect(!lines.contains { String(decoding: $0, as: UTF8.self).contains("sleep\0\(seconds)") })
    }

    @Test("a program that finds no space left fails its step with that reason")
    func noSpace() async throws {
        let world = try BakeWorld(provision: "[{ shell: fill.sh }]")
        try world.program("fill.sh", "cat /bin/busybox > /dev/full")
        let error = await failure(world)
        #expect(error?.code == .bakeStepFailed && error?.cause?.contains("No space left") == true)
        try expectNothing(world)
    }

    @Test("a step's own error counts where its tree can't be kept either, and nothing of the tree stays")
    func notKept() async throws {
        let world = try BakeWorld(provision: "[{ shell: one.sh }]")
        try world.program("one.sh", "echo 'it was this' >&2; exit 3")
        // In the place of the folder of kept trees.
        _ = try world.folder.file("store/kept", [])
        let error = await failure(world)
        #expect(error?.code == .bakeStepFailed && error?.cause?.contains("it was this") == true)
        #expect(error?.hint?.contains("could not be kept") == true && error?.hint?.contains("--from-step") == false)
        try expectNothing(world)
    }

    @Test("without a network a step reaches nobody, not even this host; with one it does")
    func network() async throws {
        let server = try TestServer(saying: "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n")
        let world = try BakeWorld(provision: "[{ shell: { run: fetch.sh, network: false } }]")
        let request = "printf 'GET / HTTP/1.0\\r\\n\\r\\n'"
        try world.program("fetch.sh", "\(request) | nc -w 5 127.0.0.1 \(server.port) > /etc/fetched")
        #expect(await failure(world)?.code == .bakeStepFailed)
        #expect(server.requests.isEmpty)
        try world.write(provision: "[{ shell: { run: fetch.sh, network: true } }]")
        let image = try #require(await world.bake().first)
        #expect(try await world.content("etc/fetched", of: image).hasSuffix("hello"))
    }

    @Test("what a step writes by an absolute path, or by one that climbs, is in the tree and not on the host")
    func outside() async throws {
        let world = try BakeWorld(provision: "[{ shell: write.sh }]")
        let name = "kiln-test-\(UUID().uuidString)"
        try world.program("write.sh", "echo x > /var.\(name); echo x > ../../../../../../etc/\(name)")
        let image = try #require(await world.bake().first)
        for path in ["/var.\(name)", "/etc/\(name)"] { #expect(!FileManager.default.fileExists(atPath: path)) }
        #expect(try await world.content("etc/\(name)", of: image) == "x")
    }

    @Test("a link of the tree for resolv.conf that climbs out of it overwrites no file of the host")
    func resolverLink() async throws {
        let world = try BakeWorld(provision: "[{ shell: link.sh }, { shell: { run: look.sh, network: true } }]")
        let precious = try world.folder.file("precious", Array("precious\n".utf8))
        let climbing = "/run/" + String(repeating: "../", count: 40) + precious.dropFirst()
        try world.program("link.sh", "rm -f /etc/resolv.conf; ln -s \(climbing) /etc/resolv.conf")
        try world.program("look.sh", "echo 1 > /etc/one")
        let image = try #require(await world.bake().first)
        #expect(try await world.content("etc/one", of: image) == "1")
        #expect(try String(contentsOfFile: precious, encoding: .utf8) == "precious\n")
    }

    @Test("a program that ends with a status of the room's own is a step that failed", arguments: [121, 122])
    func statusOfRooms(status: Int) async throws {
        let world = try BakeWorld(provision: "[{ shell: one.sh }]")
        try world.program("one.sh", "sleep 60 & exit \(status)")
        let error = await failure(world)
        #expect(error?.code == .bakeStepFailed && error?.message.contains("status \(status)") == true)
        #expect(error?.cause?.contains("left running, and ended: sleep 60") == true)
    }

    @Test("a folder that a step replaced by a link out of the tree is no room, and nothing there is made or removed")
    func folderLink() async throws {
        let world = try BakeWorld(provision: "[{ shell: link.sh }, { shell: two.sh }]")
        let own = try world.folder.file("outside/sbin/policy-rc.d", Array("mine\n".utf8))
        let outside = world.folder.path + "/outside"
        try world.program("link.sh", "busybox mv /usr /old; ln -s \(outside) /usr")
        try world.program("two.sh", "echo 2 > /etc/two")
        let error = await failure(world)
        #expect(error?.code == .bakeTreeRefused && error?.cause?.contains("/usr leads out of the tree") == true)
        #expect(error?.message.contains("step 3") == true)
        #expect(try String(contentsOfFile: own, encoding: .utf8) == "mine\n")
        #expect(try FileManager.default.subpathsOfDirectory(atPath: outside).count == 2)
    }

    @Test("no process that a step sees has the host as its root, and what /proc sets of the host can't be set")
    func otherRoots() async throws {
        let world = try BakeWorld(provision: "[{ shell: look.sh }]")
        let reached = world.folder.path + "/reached"
        try world.program(
            "look.sh",
            """
            for root in /proc/[0-9]*/root; do
                if (echo x > "$root\(reached)") 2> /dev/null; then exit 1; fi
                ls "$root/" > /dev/null && [ -d "$root/run/kiln/recipe" ]
            done
            if (echo x > /proc/sys/kernel/domainname) 2> /dev/null; then exit 2; fi
            while read -r line; do case $line in *' /run/kiln/host '*) exit 3 ;; esac; done < /proc/self/mountinfo
            echo 1 > /etc/one
            """
        )
        let image = try #require(await world.bake().first)
        #expect(try await world.content("etc/one", of: image) == "1")
        #expect(!FileManager.default.fileExists(atPath: reached))
    }

    @Test("of the environment of who bakes a step finds nothing, but proxies where it may use the network")
    func environment() async throws {
        let host = ["TOKEN": "secret", "LD_PRELOAD": "x.so", "https_proxy": "http://proxy:1", "NO_PROXY": "here"]
        let command = { RoomCommand(["true"], environment: ["OWN": "1"], timeout: .seconds(1), network: $0) }
        let alone = ChrootRoom.environment(of: command(false), ["GREETING": "hello"], on: host)
        let own = ["OWN", "GREETING", "TERM"] + RoomScript.variables.keys
        #expect(Set(alone.keys) == Set(own) && alone["HOME"] == "/root")
        let connected = ChrootRoom.environment(of: command(true), ["GREETING": "hello"], on: host)
        #expect(Set(connected.keys) == Set(own + ["https_proxy", "NO_PROXY"]))

        let world = try BakeWorld(provision: "[{ shell: look.sh }]")
        try world.program("look.sh", "busybox env > /etc/seen")
        let image = try #require(await world.bake().first)
        let seen = try await world.content("etc/seen", of: image)
        let names = Set(seen.split(separator: "\n").map { String($0.prefix { $0 != "=" }) })
        let shells: Set = ["PWD", "OLDPWD", "SHLVL", "_"]
        #expect(
            names.subtracting(shells)
                == Set(RoomScript.variables.keys).union(["TERM", "GREETING", "KILN_NAME", "KILN_VERSION"])
        )
    }

    @Test("of two bakes of one name at once the second waits, and finds it done")
    func atOnce() async throws {
        let world = try BakeWorld(provision: "[{ shell: one.sh }]")
        try world.program("one.sh", "sleep 2; echo 1 > /etc/one")
        try await world.begin()
        async let first = world.bake()
        async let second = world.bake()
        let digests = try await [first, second].map { $0.map(\.manifest.digest) }
        #expect(digests[0] == digests[1] && digests[0].count == 1)
        let lines = world.lines()
        #expect(lines.contains { $0.hasPrefix("waiting: ") } && lines.contains("web:1 is baked already"), "\(lines)")
        #expect(lines.count { $0.contains("shell one.sh (") } == 1)
    }

    @Test("a file that leads out of the recipe's folder by a link is refused with its place")
    func linkedOut() throws {
        let world = try BakeWorld(provision: "[{ files: { from: passwd, to: /etc/passwd } }, { shell: out/true }]")
        for (name, target) in [("passwd", "/etc/passwd"), ("out", "/bin")] {
            symlink(target, "\(world.folder.path)/Images/web/\(name)")
        }
        let error = #expect(throws: InvalidFile.self) { try world.recipe }
        let found = error?.problems.map(\.message) ?? []
        #expect(found.count == 2 && found.allSatisfy { $0.contains("leads out of the recipe's folder by a link") })
    }
}
