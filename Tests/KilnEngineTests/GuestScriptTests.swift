import Foundation
import KilnModel
import KilnSystem
import KilnTestSupport
import Testing

@testable import KilnEngine

/// The script on this host, whose shells and tools are those of the guests.
@Suite("What a guest tells of itself")
struct GuestScriptTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func path(_ name: String) -> String { directory.path + "/" + name }

    /// A shell, and whether the tools are busybox's, too.
    private static let shells = [["/bin/dash"], ["/bin/bash"], ["/bin/busybox", "sh"]]

    private func run(_ shell: [String], _ arguments: String...) async throws -> Command.Output {
        try await Command(shell[0], Array(shell.dropFirst()) + ["-c", GuestScript.text, "kiln"] + arguments).result()
    }

    private func make(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path(name)))
    }

    @Test("an entry has its kind, mode, owners and size, and a link its target", arguments: shells)
    func entries(shell: [String]) async throws {
        try make("a file", "12345")
        chmod(path("a file"), 0o4751)
        symlink("no where\nelse", path("link"))
        mkfifo(path("$(fifo)"), 0o600)
        for (name, kind, mode, size) in [
            ("a file", RootEntry.Kind.file, UInt16(0o4751), UInt64(5)), ("link", .link, 0o777, 0),
            ("$(fifo)", .pipe, 0o600, 0), ("", .directory, 0o755, 0),
        ] {
            if name.isEmpty { chmod(directory.path, 0o755) }
            let said = try await run(shell, "entry", name.isEmpty ? directory.path : path(name))
            #expect(said.status == 0, "\(said)")
            let entry = try #require(try await entry(said.output, of: name))
            #expect(entry.kind == kind && entry.mode == mode && entry.size == size && entry.user == getuid(), "\(name)")
            if kind == .link { #expect(entry.value == RootPath.escaped(Array("no where\nelse".utf8))) }
        }
        #expect(try await run(shell, "entry", path("none")).status == GuestScript.missing)
    }

    // What a guest with this output has at a path.
    private func entry(_ output: [UInt8], of name: String) async throws -> RootEntry? {
        let guests = SaidByGuest(result: GuestCommandResult(status: 0, output: output, errors: []))
        let machine = MemberID(lab: try Name("a"), server: try Name("b")).machine(Generation(1))
        return try await GuestRoot(guests: guests, machine: machine, limit: .seconds(5)).entry(.root)
    }

    @Test("only the content of a file is read, and no more than is asked for", arguments: shells)
    func content(shell: [String]) async throws {
        try make("file", "12345")
        symlink("file", path("link"))
        mkfifo(path("fifo"), 0o600)
        #expect(try await run(shell, "content", path("file"), "3").text == "123")
        #expect(try await run(shell, "content", path("link"), "9").text == "12345")
        let digest = "5994471abb01112afcc18159f6cc74b4f511b99806da59b3caf5a9c173cacfc5"
        #expect(try await run(shell, "digest", path("link")).text.trimmingCharacters(in: .newlines) == digest)
        for odd in ["fifo", "none", ""] {
            #expect(try await run(shell, "content", path(odd), "3").status == GuestScript.missing, "\(odd)")
            #expect(try await run(shell, "digest", path(odd)).status == GuestScript.missing, "\(odd)")
        }
    }

    @Test("the processes are listed by their names", arguments: shells)
    func processes(shell: [String]) async throws {
        let output = try await run(shell, "processes").output
        let names = try #require(ProcessTable.names(in: output))
        // This process, whose name the kernel has cut.
        let own = try String(contentsOfFile: "/proc/self/comm", encoding: .utf8).trimmingCharacters(in: .newlines)
        #expect(names.contains(own))
    }

    @Test("what listens is found by its port and address", arguments: shells)
    func sockets(shell: [String]) async throws {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(socket, address, length) == 0 && listen(socket, 1) == 0
                    && getsockname(socket, address, &length) == 0
            }
        }
        try #require(isBound)
        let said = try await run(shell, "sockets", "tcp").output
        let port = UInt16(bigEndian: address.sin_port)
        #expect(SocketTable.listeners(on: PortResource(transport: .tcp, number: port), in: said) == ["127.0.0.1"])
        #expect(SocketTable.listeners(on: PortResource(transport: .udp, number: port), in: said).isEmpty)
    }

    @Test("the root is mounted, and a folder of a test is not", arguments: shells)
    func mounts(shell: [String]) async throws {
        let said = try await run(shell, "mounts").output
        #expect(MountTable.top(at: .root, in: said) != nil)
        let folder = try #require(RootPath(written: directory.path))
        #expect(MountTable.top(at: folder, in: said) == nil)
    }

    @Test("an identity has the boot's id, and a guest without systemd says so", arguments: shells)
    func identity(shell: [String]) async throws {
        let said = try await run(shell, "identity")
        #expect(said.status == 0 && said.text.contains("boot-id "), "\(said)")
        let identity = GuestIdentity(said.output)
        #expect(identity.assertion(.bootID, against: identity, seconds: 0).outcome == .failed)
        guard !FileManager.default.fileExists(atPath: "/run/systemd/system") else { return }
        #expect(try await run(shell, "service", "ssh").status == GuestScript.untold)
        #expect(try await run(shell, "failed-units").status == GuestScript.untold)
    }

    /// The script as if every path were the mount point of the volume that is asked for.
    private static let mounted = GuestScript.text.replacing(
        GuestMount.lookAt,
        with: "look_at() { place=$1; serial=v1; }"
    )

    private func tree(_ shell: [String], _ folder: String, volume: String = "v1") async throws -> Command.Output {
        let arguments = ["-c", GuestScriptTests.mounted, "kiln", "tree", path(folder), volume, "20"]
        return try await Command(shell[0], Array(shell.dropFirst()) + arguments).result()
    }

    private func makeTree(_ folder: String, order: [String]) throws {
        try FileManager.default.createDirectory(
            atPath: path("\(folder)/sub dir/empty"),
            withIntermediateDirectories: true
        )
        for name in order { try make("\(folder)/\(name)", "content of \(name)") }
        symlink("no where", path("\(folder)/link"))
        mkfifo(path("\(folder)/fifo"), 0o600)
    }

    @Test("a tree has one sum in every shell, whatever the order in which it was made, and another with other content")
    func trees() async throws {
        let names = ["b", "sub dir/a", "-n", "é", "back\\slash", "\\", "c d"]
        try makeTree("one", order: names)
        try makeTree("two", order: names.reversed())
        var sums: Set<String> = []
        for shell in GuestScriptTests.shells {
            for folder in ["one", "two"] {
                let said = try await tree(shell, folder)
                #expect(
                    said.status == 0 && said.text.trimmingCharacters(in: .newlines).count == 64,
                    "\(shell): \(said)"
                )
                sums.insert(said.text)
            }
        }
        #expect(sums.count == 1, "\(sums)")
        let (shell, first) = (GuestScriptTests.shells[0], try #require(sums.first))
        chmod(path("two/b"), 0o600)
        try FileManager.default.createDirectory(atPath: path("two/more"), withIntermediateDirectories: false)
        #expect(try await tree(shell, "two").text == first)
        try make("two/b", "other")
        #expect(try await tree(shell, "two").text != first)
        try make("two/b", "content of b")
        #expect(try await tree(shell, "two").text == first)
        try FileManager.default.moveItem(atPath: path("two/b"), toPath: path("two/e"))
        #expect(try await tree(shell, "two").text != first)
        for (one, two) in [("x", "y"), ("y", "x")] {
            try makeTree(one, order: [])
            symlink(one, path("\(one)/1"))
            symlink(two, path("\(one)/2"))
        }
        #expect(try await tree(shell, "x").text != tree(shell, "y").text)
        unlink(path("one/link"))
        symlink("elsewhere", path("one/link"))
        #expect(try await tree(shell, "one").text != first)
    }

    @Test(
        "a tree that can't be read as a whole says so, and one where the volume is not mounted is none",
        arguments: shells
    )
    func unreadTree(shell: [String]) async throws {
        try makeTree("one", order: ["a"])
        #expect(try await tree(shell, "one", volume: "v2").status == GuestScript.missing)
        #expect(try await run(shell, "tree", path("one"), "v1", "20").status == GuestScript.missing)
        #expect(try await run(shell, "file-system", "v1").status == GuestScript.missing)
        // Who may read everything meets no file that can't be read.
        guard getuid() != 0 else { return }
        chmod(path("one/a"), 0)
        let said = try await tree(shell, "one")
        #expect(said.text.hasPrefix("unread\n"), "\(said)")
    }

    @Test("the UUID of a file system is read off the disk, and none off what is no ext4", arguments: shells)
    func uuid(shell: [String]) async throws {
        var disk = [UInt8](repeating: 0, count: 4096)
        let script = GuestScript.ext4UUID + "\next4_uuid \"$1\""
        func said() async throws -> Command.Output {
            try Data(disk).write(to: URL(fileURLWithPath: path("disk")))
            return try await Command(shell[0], Array(shell.dropFirst()) + ["-c", script, "kiln", path("disk")]).result()
        }
        #expect(try await said().status == GuestScript.untold)
        (disk[1080], disk[1081]) = (0x53, 0xef)
        for byte in 0..<16 { disk[1128 + byte] = UInt8(0x10 * byte + 15 - byte) }
        let found = try await said()
        #expect(found.text.filter { !$0.isWhitespace } == "0f1e2d3c4b5a69788796a5b4c3d2e1f0", "\(found)")
    }

    @Test("no argument becomes a part of the script", arguments: shells)
    func arguments(shell: [String]) async throws {
        for hostile in [
            "$(touch \(path("made")))", "`touch \(path("made"))`", "; touch \(path("made"))", "-n", "\"'\\",
        ] {
            _ = try await run(shell, "entry", hostile)
            _ = try await run(shell, "content", hostile, "1")
            _ = try await run(shell, "digest", hostile)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
    }
}

/// Guests that give one answer to all that they are told to run.
struct SaidByGuest: GuestAccess {
    let result: GuestCommandResult

    func awaitAgent(_ machine: MachineID, within deadline: Duration) async throws {}
    func awaitWay(into machine: MachineID, within deadline: Duration) async throws -> GuestWay { .agent }
    func run(_ command: GuestCommand, in machine: MachineID) async throws -> GuestCommandResult { result }
    func read(_ path: String, in machine: MachineID, limit: Int) async throws -> [UInt8]? { nil }
    func write(_ content: [UInt8], to path: String, in machine: MachineID) async throws {}
    func freeze(_ machine: MachineID, within deadline: Duration) async throws {}
    func thaw(_ machine: MachineID, within deadline: Duration) async throws {}
}
