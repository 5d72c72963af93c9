import Foundation
import KilnModel
import KilnTestSupport
import Testing

@testable import KilnSystem

@Suite struct DurableFileTests {
    private func entries(_ directory: TemporaryDirectory) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
    }

    @Test("the directory of a path is found, whatever the path is")
    func directories() {
        let known = ["/a/b": "/a", "/a": "/", "/": "/", "a/b//": "a", "a": "", "./": "", "": "", "./a": "."]
        for (path, directory) in known { #expect(DurableFile.directory(of: path) == directory, "\(path)") }
    }

    @Test("content is replaced whole, with the mode that was asked for, and nothing else is left")
    func replaced() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/file"
        for content in ["first", String(repeating: "second", count: 100_000), ""] {
            try DurableFile.write(Data(content.utf8), to: path, mode: 0o600)
            #expect(try String(contentsOfFile: path, encoding: .utf8) == content)
        }
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
        #expect(try entries(directory) == ["file"])
    }

    @Test("a write that fails says so and leaves no temporary file")
    func failing() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/taken"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        let error = try #require(throws: KilnError.self) { try DurableFile.write(Data("x".utf8), to: path) }
        #expect(error.code == .stateNotWritable)
        #expect(error.message.contains(path))
        #expect(try entries(directory) == ["taken"])
    }

    @Test("a record of a later version is refused by name, and one without a format is read")
    func formats() throws {
        struct Record: Codable {
            var name: String
            var format: RecordFormat?
        }
        let directory = try TemporaryDirectory()
        let path = directory.path + "/record"
        try Data(#"{"name": "a", "format": 2}"#.utf8).write(to: URL(fileURLWithPath: path))
        let error = try #require(throws: KilnError.self) { try DurableFile.readJSON(Record.self, from: path) }
        #expect(error.code == .stateNewer && error.exit == .halted)
        #expect(error.message.contains(path))
        for text in [#"{"name": "a"}"#, #"{"name": "a", "format": 1}"#] {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            #expect(try DurableFile.readJSON(Record.self, from: path)?.name == "a")
        }
    }

    @Test("a full device is told apart from other failures")
    func full() throws {
        let descriptor = open("/dev/full", O_WRONLY | O_CLOEXEC)
        defer { close(descriptor) }
        let error = try #require(throws: KilnError.self) {
            try DurableFile.append(Data("x".utf8), to: descriptor, path: "/dev/full")
        }
        #expect(error.code == .diskFull)
        #expect(error.exit == .aborted)
    }

    @Test("JSON that is not there is nothing; JSON that is damaged is an error")
    func json() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/file.json"
        #expect(try DurableFile.readJSON([String: Int].self, from: path) == nil)
        try DurableFile.writeJSON(["a": 1], to: path)
        #expect(try DurableFile.readJSON([String: Int].self, from: path) == ["a": 1])
        try Data(#"{"a":"#.utf8).write(to: URL(fileURLWithPath: path))
        #expect(
            try #require(throws: KilnError.self) { try DurableFile.readJSON([String: Int].self, from: path) }.code
                == "state.unreadable"
        )
    }

    @Test("removing what is not there is not an error, and a link is removed without what it points to")
    func remove() throws {
        let directory = try TemporaryDirectory()
        try DurableFile.remove(directory.path + "/nothing")
        try DurableFile.write(Data(), to: directory.path + "/target")
        try FileManager.default.createSymbolicLink(
            atPath: directory.path + "/link",
            withDestinationPath: directory.path + "/target"
        )
        try DurableFile.remove(directory.path + "/link")
        #expect(try entries(directory) == ["target"])
    }
}
