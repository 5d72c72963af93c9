import ArgumentParser
import Foundation
import KilnEngine
import KilnModel
import Testing

@testable import KilnCLI

@Suite("What a shell completes")
struct CompletionTests {
    /// Writes files below a directory, and gives the names in it.
    private func names(in directory: String, _ files: [String: String]) throws -> KnownNames {
        for (path, content) in files {
            let file = URL(fileURLWithPath: "\(directory)/\(path)")
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data(content.utf8).write(to: file)
        }
        return KnownNames(state: StateDirectory(root: directory, sockets: ""))
    }

    /// A volume's record as an older Kiln wrote it.
    private let record = """
        {"lab":"shop","name":"data","id":"v0123456789abcdef","spec":{"size":"64MiB","fileSystem":"ext4"},
        "created":"2026-01-01T00:00:00Z","layers":["a.qcow2","b.qcow2"],"leaseNumber":1,
        "snapshots":[{"name":"monday","layer":"a.qcow2","kind":"named","consistency":"clean"}]}
        """

    @Test("servers are offered as LAB/NAME always, and as NAME where one lab has it")
    func servers() async throws {
        try await Fixtures.withDirectory { directory in
            let servers = ["a/servers/web", "b/servers/web", "b/servers/db", "b/servers/.new"]
            let files = Dictionary(uniqueKeysWithValues: servers.map { ("labs/\($0)/journal", "") })
            let names = try names(in: directory, files)
            #expect(names.servers == ["a/web", "b/db", "b/web", "db"])
            #expect(names.serverNames == ["db", "web"])
            #expect(names.labs == ["a", "b"])
        }
    }

    @Test("images are offered with their versions, volumes with their snapshots, and what was set aside")
    func images() async throws {
        try await Fixtures.withDirectory { directory in
            let names = try names(
                in: directory,
                [
                    "images/names/tiny/1": "", "images/names/tiny/2": "", "images/names/tiny/.2.new": "",
                    "images/names/debian-13/1": "", "images/channels/tiny/stable.json": "",
                    "images/channels/tiny/.stable.json.new": "", "volumes/shop/data/volume.json": record,
                    "retained/shop.old.20260101T000000Z/volume.json": record, "retained/.half/volume.json": record,
                ]
            )
            #expect(names.images == ["debian-13:1", "tiny:1", "tiny:2", "tiny@stable"])
            #expect(names.channels == ["stable"] && names.imageNames == ["debian-13", "tiny"])
            #expect(names.volumes == ["shop/data"])
            #expect(names.retained == ["shop.old.20260101T000000Z"])
            #expect(names.snapshots(of: try #require(VolumePath(argument: "shop/data"))) == ["monday"])
        }
    }

    @Test("what is damaged, missing or no file has no names, and keeps nobody waiting")
    func damaged() async throws {
        try await Fixtures.withDirectory { directory in
            let names = try names(
                in: directory,
                ["volumes/shop/data/volume.json": String(record.prefix(90)), "images/names": "no folder", "labs": ""]
            )
            try FileManager.default.createDirectory(
                atPath: directory + "/volumes/shop/pipe",
                withIntermediateDirectories: true
            )
            #expect(mkfifo(directory + "/volumes/shop/pipe/volume.json", 0o600) == 0)
            for volume in ["shop/data", "shop/pipe", "shop/none"] {
                #expect(names.snapshots(of: try #require(VolumePath(argument: volume))).isEmpty)
            }
            #expect(names.images.isEmpty && names.labs.isEmpty && names.servers.isEmpty && names.retained.isEmpty)
            #expect(names.volumes == ["shop/data", "shop/pipe"])
        }
    }

    @Test("'cp' and 'up' ask kiln for servers, and a copy's host side is any file")
    func sides() async throws {
        let script = KilnCommand.completionScript(for: .bash)
        for place in ["cp -- positional@0", "cp -- positional@1", "up -- positional@0"] {
            #expect(script.contains("---completion \(place)"), "\(place)")
        }
        try await Fixtures.withDirectory { directory in
            for name in ["a.txt", "a.yaml"] { try Data().write(to: URL(fileURLWithPath: "\(directory)/\(name)")) }
            let found = KnownNames.files(startingWith: directory + "/a.", ofAnyKind: true)
            #expect(found == [directory + "/a.txt", directory + "/a.yaml"])
            #expect(KnownNames.files(startingWith: directory + "/a.") == [directory + "/a.yaml"])
        }
    }

    @Test("a script asks kiln for names each time", arguments: ["restore", "check", "delete", "purge", "export"])
    func script(verb: String) {
        let script = KilnCommand.completionScript(for: .bash)
        #expect(script.contains("---completion volume \(verb) -- positional@0"))
    }
}
