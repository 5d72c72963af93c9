import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem
import Testing

@testable import KilnHost

@Suite("A new name for a finished file")
struct NewNameTests {
    private let directory: TestDirectory

    init() throws { directory = try TestDirectory() }

    private func path(_ name: String) -> String { directory.path + "/" + name }

    private func file(_ name: String, _ text: String) throws -> String {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path(name)))
        return path(name)
    }

    private func text(_ name: String) -> String? {
        FileManager.default.contents(atPath: path(name)).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("each way gives the name and leaves no second one", arguments: NewName.allCases)
    func given(way: NewName) throws {
        #expect(NewName.give(path("new"), to: try file("draft", "x"), by: [way]) == 0)
        #expect(directory.names == ["new"])
        #expect(text("new") == "x")
    }

    @Test("a name that a file, an empty file, a link or a folder has is never taken", arguments: NewName.allCases)
    func taken(way: NewName) throws {
        let draft = try file("draft", "x")
        _ = try (file("file", "theirs"), file("empty", ""))
        symlink("nowhere", path("link"))
        mkdir(path("folder"), 0o700)
        for name in ["file", "empty", "link", "folder"] {
            #expect(NewName.give(path(name), to: draft, by: [way]) == EEXIST, "\(name)")
        }
        #expect(text("file") == "theirs" && text("empty")?.isEmpty == true && text("draft") == "x")
        #expect(directory.names == ["draft", "empty", "file", "folder", "link"])
    }

    @Test("a way that fails leaves nothing, and its own error is told", arguments: NewName.allCases)
    func failing(way: NewName) {
        #expect(NewName.give(path("new"), to: path("none"), by: [way]) == ENOENT)
        #expect(directory.names.isEmpty)
    }

    @Test("where a file system lacks a way the next one is gone")
    func fallsBack() {
        // No file system has links to folders, and every one renames them.
        mkdir(path("draft"), 0o700)
        #expect(NewName.give(path("new"), to: path("draft"), by: [.link]) == EPERM)
        #expect(NewName.give(path("new"), to: path("draft")) == 0)
        #expect(directory.names == ["new"])
    }

    @Test("an export gets its name by each of the ways, and never that of another file", arguments: NewName.allCases)
    func exports(way: NewName) async throws {
        let tool = QEMUDiskTool(owner: nil, newNames: [way])
        try await tool.createVolume(
            at: path("v.qcow2"),
            size: .mebibytes(16),
            fileSystem: .ext4,
            label: "data",
            mark: VolumeMark()
        )
        let long = String(repeating: "n", count: 250)
        try await tool.exportDisk(path("v.qcow2"), to: path(long), as: .raw)
        #expect(directory.names == [long, "v.qcow2"])
        #expect(directory.mode(long) == "600")
        let error = await #expect(throws: KilnError.self) {
            try await tool.exportDisk(path("v.qcow2"), to: path(long), as: .raw)
        }
        #expect(error?.code == .diskExists)
    }

    @Test("an export that can't get its name says why, and leaves nothing")
    func refused() async throws {
        let tool = QEMUDiskTool(owner: nil)
        try await tool.createVolume(
            at: path("v.qcow2"),
            size: .mebibytes(16),
            fileSystem: .ext4,
            label: "data",
            mark: VolumeMark()
        )
        let error = await #expect(throws: KilnError.self) {
            try await tool.exportDisk(path("v.qcow2"), to: path("none/out"), as: .raw)
        }
        #expect(error?.code == .diskNotMade)
        #expect(error?.cause == "No such file or directory")
        #expect(directory.names == ["v.qcow2"])
    }
}
