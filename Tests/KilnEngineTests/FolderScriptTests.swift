import Foundation
import KilnSystem
import KilnTestSupport
import Testing

@testable import KilnEngine

/// The script on this host, whose shells and tars are those of the guests.
// One after the other: they look at what is left in /var/tmp.
@Suite("A guest's part in the copy of a folder", .serialized)
struct FolderScriptTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func path(_ name: String) -> String { directory.path + "/" + name }

    private static let shells = [["/bin/dash"], ["/bin/bash"], ["/bin/busybox", "sh"]]

    private func run(_ shell: [String], _ arguments: String...) async throws -> Command.Output {
        try await Command(shell[0], Array(shell.dropFirst()) + ["-c", FolderScript.text, "kiln"] + arguments).result()
    }

    private func make(_ name: String, _ text: String? = nil) throws {
        guard let text else {
            return try FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: true)
        }
        try Data(text.utf8).write(to: URL(fileURLWithPath: path(name)))
    }

    @Test("says what lies at a path", arguments: shells)
    func places(shell: [String]) async throws {
        try make("a folder")
        try make("file", "x")
        mkfifo(path("fifo"), 0o600)
        symlink("nowhere", path("broken"))
        symlink("a folder", path("link"))
        for (name, place) in [
            ("a folder", "folder"), ("a folder/", "folder"), ("link", "folder"), ("file", "file"), ("fifo", "other"),
            ("broken", "other"), ("new", "free"), ("a folder/new", "free"), ("no/new", "nowhere"),
            ("file/x", "nowhere"),
        ] { #expect(try await run(shell, "place", path(name)).text == place, "\(name)") }
    }

    @Test("a folder is packed, and unpacked to where nothing is, also into a folder under its name", arguments: shells)
    func crossing(shell: [String]) async throws {
        try make("origin/sub dir")
        try make("origin/sub dir/file", "content")
        symlink("/etc/passwd", path("origin/out"))
        try make("there")
        let packed = try await run(shell, "pack", path("origin"), "100000")
        #expect(packed.status == 0, "\(packed)")
        let work = packed.text
        defer { try? FileManager.default.removeItem(atPath: work) }
        for (target, name, result) in [("new", "origin", "new"), ("there/", "origin", "there/origin"), ("x/", "", "x")]
        {
            let begun = try await run(shell, "begin", path(target), name, "ID")
            #expect(begun.status == 0)
            try FileManager.default.copyItem(atPath: "\(work)/archive", toPath: "\(begun.text)/archive")
            let ended = try await run(shell, "end", path(target), name, "ID")
            #expect(ended.status == 0 && ended.text == path(result), "\(ended)")
            try FileManager.default.removeItem(atPath: begun.text)
            let file = FileManager.default.contents(atPath: path(result) + "/sub dir/file")
            #expect(file == Data("content".utf8))
            let link = try FileManager.default.destinationOfSymbolicLink(atPath: path(result) + "/out")
            #expect(link == "/etc/passwd")
        }
    }

    @Test("what is there is left alone, and a folder that is not there is named", arguments: shells)
    func refusals(shell: [String]) async throws {
        try make("there/origin")
        try make("file", "x")
        symlink("nowhere", path("broken"))
        for (target, name, status, said) in [
            ("there", "origin", FolderScript.taken, "there/origin"), ("file", "origin", FolderScript.taken, "file"),
            ("broken", "origin", FolderScript.taken, "broken"), ("there", "", FolderScript.taken, "there"),
            ("no/new", "origin", FolderScript.nowhere, "no"), ("file/new", "origin", FolderScript.nowhere, "file"),
        ] {
            let found = try await run(shell, "begin", path(target), name, "ID")
            #expect(found.status == status && found.text == path(said), "\(target) \(found)")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).count == 3)
    }

    @Test("a socket, a FIFO or a device is named, and too much is refused, before anything is left", arguments: shells)
    func odd(shell: [String]) async throws {
        try make("origin")
        try make("origin/file", String(repeating: "x", count: 50_000))
        let before = try left()
        let large = try await run(shell, "pack", path("origin"), "20000")
        #expect(large.status == FolderScript.tooLarge)
        mkfifo(path("origin/fifo"), 0o600)
        let odd = try await run(shell, "pack", path("origin"), "100000")
        #expect(odd.status == FolderScript.odd && odd.text.hasSuffix("/origin/./fifo"))
        #expect(try await run(shell, "pack", path("none"), "100000").status != 0)
        #expect(try left().subtracting(before).isEmpty)
    }

    private func left() throws -> Set<String> {
        Set(try FileManager.default.contentsOfDirectory(atPath: "/var/tmp").filter { $0.hasPrefix("kiln-cp.") })
    }
}
