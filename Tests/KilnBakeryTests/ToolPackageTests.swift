import Foundation
import KilnModel
import KilnSystem
import KilnTestSupport
import Synchronization
import Testing

@testable import KilnBakery

@Suite("Tools that a step needs only meanwhile")
struct ToolPackageTests {
    /// A room in which nothing happens but that it is noted.
    private final class NotedRoom: BuildRoom {
        let loopback: String? = nil
        private let notes = Mutex<[String]>([])
        private let status: Int32

        init(finding status: Int32 = 1) { self.status = status }

        var noted: [String] { notes.withLock { $0 } }
        func note(_ text: String) { notes.withLock { $0.append(text) } }
        func run(_ command: RoomCommand, accepting accepted: Set<Int32>) async throws -> Int32 {
            note(command.arguments.dropFirst(3).joined(separator: " "))
            return accepted.isEmpty ? 0 : status
        }
        func lend(_ folder: String, as name: String) async throws { note("lend \(name)") }
        func read(_ path: String, limit: Int) async throws -> [UInt8]? { nil }
        func listing() async throws -> TreeListing {
            TreeListing(RootListing(entries: [:], packages: [:]), without: [])
        }
    }

    private let fixture: RecipeFixture
    private let bake: BakeContext

    init() throws {
        fixture = try RecipeFixture()
        let recipe = try fixture.recipe()
        let place = fixture.folder.path
        bake = BakeContext(
            recipe: recipe,
            version: recipe.versions[0],
            scratch: place + "/scratch",
            boot: place,
            tree: FileTree(path: place),
            log: try BakeLog(place + "/log") { _ in }
        )
    }

    private func use(in room: NotedRoom, keep: Bool) async throws {
        try await ToolPackage.use(
            in: room,
            bake,
            packages: ["tool", "instrument"],
            leftovers: ["/var/tool"],
            keep: keep
        ) {
            room.note("install")
        } body: {
            room.note("body")
        }
    }

    @Test(
        "packages are listed before and after the tool's installation, so what the step itself installs is not the tool's"
    )
    func order() async throws {
        let room = NotedRoom()
        try await use(in: room, keep: false)
        let place = "/run/kiln/packages"
        #expect(
            room.noted == [
                "lend packages", "tool \(place) before /var/tool", "install", "tool \(place) installed", "body",
                "tool \(place) tool instrument /var/tool",
            ]
        )
    }

    @Test("a tool that stays, and one that the tree has, are left alone with all of their state")
    func kept() async throws {
        let room = NotedRoom()
        try await use(in: room, keep: true)
        #expect(room.noted == ["install", "body"])
        let owner = NotedRoom(finding: 0)
        let tool = ToolPackage(program: "tool", package: "tool", leftovers: ["/var/tool"])
        try await tool.use(in: owner, bake, keep: false) { owner.note("body") }
        #expect(owner.noted == ["find tool", "body"])
    }

    @Test(
        "only what the tool brought is purged, but for what the step's packages need, a tool with all of its state among them; what was there before stays",
        arguments: [("python3", false), ("tool", true)]
    )
    func purged(needed: String, stays: Bool) async throws {
        let folder = try TemporaryDirectory()
        let place = folder.path
        let dpkg = #"""
            #!/bin/sh
            case $1 in
            --no-act)
                case " $* " in *" NEEDED:a"*)
                    echo "dpkg: error processing package NEEDED (--purge):" >&2
                    exit 1 ;;
                esac ;;
            *) echo "$*" >> "$(dirname "$0")/../done" ;;
            esac
            """#
            .replacing("NEEDED", with: needed)
        for (name, text) in [("dpkg", dpkg), ("dpkg-query", "#!/bin/sh\ncat \"$(dirname \"$0\")/../state\"\n")] {
            chmod(try folder.file("bin/\(name)", Array(text.utf8)), 0o755)
        }
        try DurableFile.makeDirectory(place + "/packages")
        let leftovers = [place + "/mine", place + "/tools"]
        _ = try folder.file("mine/file", [])
        func run(_ script: String, _ state: [String], _ arguments: [String]) async throws {
            let text = state.map { "installed \($0)\n" }.joined()
            _ = try folder.file("state", Array(text.utf8))
            let path = "PATH=\(place)/bin:/usr/sbin:/usr/bin:/sbin:/bin"
            let call = [path, "/bin/sh", "-c", script, "tool", place + "/packages"] + arguments
            try await Command("env", call).run()
        }
        try await run(ToolPackage.listing, ["base:amd64"], ["before"] + leftovers)
        try await run(ToolPackage.listing, ["base:amd64", "python3:all", "tool:amd64"], ["installed"])
        _ = try folder.file("tools/state", [])
        let after = ["base:amd64", "nginx:amd64", "python3:all", "tool:amd64"]
        try await run(ToolPackage.purging, after, ["instrument tool"] + leftovers)
        let done = try String(contentsOfFile: place + "/done", encoding: .utf8)
        #expect(done == "--purge --force-remove-protected \(stays ? "python3:all" : "tool:amd64")\n")
        #expect(FileManager.default.fileExists(atPath: place + "/mine/file"))
        #expect(FileManager.default.fileExists(atPath: place + "/tools") == stays)
    }
}
