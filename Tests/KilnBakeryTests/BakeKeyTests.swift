import Foundation
import KilnModel
import KilnSystem
import KilnTestSupport
import Testing

@testable import KilnBakery
@testable import KilnStore

@Suite(
    "What a step's key knows",
    .enabled(if: geteuid() == 0, "a plain user needs subordinate ids"),
    .timeLimit(.minutes(3))
)
struct BakeKeyTests {
    @Test("a step that gets the network is another step, as a program may go on where there is none")
    func networkInKey() async throws {
        let world = try BakeWorld(provision: "[{ shell: one.sh }]")
        try world.program("one.sh", "ls /sys/class/net > /etc/net")
        let first = try #require(await world.bake().first)
        _ = world.lines()
        try world.write(provision: "[{ shell: { run: one.sh, network: true } }]")
        let second = try #require(await world.bake().first)
        let lines = world.lines()
        #expect(lines.contains("web:1: step 2/3 shell one.sh (changed: network)"), "\(lines)")
        #expect(second.manifest.recipe != first.manifest.recipe)
    }

    @Test("files that a step uses have the modes that its key knows, whatever those of the checkout are")
    func modes() async throws {
        let careful = try await modesSeen(folders: 0o700, file: 0o600, program: 0o700)
        #expect(careful == "755 .\n755 folder\n644 folder/plain\n755 folder/run\n777 link")
        #expect(try await modesSeen(folders: 0o777, file: 0o666, program: 0o4755) == careful)
    }

    private func modesSeen(folders: mode_t, file: mode_t, program: mode_t) async throws -> String {
        let world = try BakeWorld(provision: "[{ shell: { run: look.sh, with: [data] } }]")
        let names = ". folder folder/plain folder/run link"
        try world.program("look.sh", "cd data && busybox stat -c '%a %n' \(names) > /etc/seen")
        let data = world.folder.path + "/Images/web/data"
        chmod(try world.folder.file("Images/web/data/folder/plain", [1]), file)
        chmod(try world.folder.file("Images/web/data/folder/run", [1]), program)
        symlink("folder/plain", data + "/link")
        for path in [data, data + "/folder"] { chmod(path, folders) }
        return try await world.content("etc/seen", of: try #require(await world.bake().first))
    }
}
