import Foundation
import KilnModel
import KilnSystem
import Testing

@testable import KilnCLI

@Suite("Folders of the host that are copied")
struct HostFolderTests {
    private func make(_ path: String, _ text: String? = nil) throws {
        guard let text else {
            return try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    private func names(_ path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    }

    @Test("a folder is packed with its links as links, and unpacked to where nothing is")
    func crossing() async throws {
        try await Fixtures.withDirectory { root in
            try make(root + "/site/sub")
            try make(root + "/site/sub/file", "content")
            symlink("/etc/passwd", root + "/site/out")
            symlink("site", root + "/link")
            chmod(root + "/site/sub/file", 0o4711)
            try make(root + "/there")
            for source in ["site", "link", "site/."] {
                let folder = try HostFolder("\(root)/\(source)")
                #expect(folder.summary == "3 entries with 7 bytes")
                let (archive, remarks) = try await folder.pack()
                #expect(remarks.isEmpty)
                let target = try HostFolder.target(root + "/there", named: "/srv/\(folder.name)/.")
                #expect(target == root + "/there/\(folder.name)")
                _ = try HostFolder.unpack(archive, of: try Fixtures.id("shop", "web"), to: target)
                #expect(try String(contentsOfFile: target + "/sub/file", encoding: .utf8) == "content")
                #expect(try FileManager.default.destinationOfSymbolicLink(atPath: target + "/out") == "/etc/passwd")
                let mode = try FileManager.default.attributesOfItem(atPath: target + "/sub/file")[.posixPermissions]
                #expect(mode as? Int == 0o711)
                try FileManager.default.removeItem(atPath: target)
            }
            #expect(try names(root + "/there").isEmpty)
        }
    }

    @Test("a FIFO, a socket or a device in it is named before anything is read")
    func odd() async throws {
        try await Fixtures.withDirectory { root in
            try make(root + "/site/sub")
            mkfifo(root + "/site/sub/fifo", 0o600)
            let error = #expect(throws: KilnError.self) { try HostFolder(root + "/site") }
            #expect(error?.code == .cpOddFiles && error?.exit == .usage)
            #expect(error?.message.contains("'sub/fifo'") == true)
        }
    }

    @Test("a file that is a FIFO or a folder is refused at once, with what to do")
    func files() async throws {
        try await Fixtures.withDirectory { root in
            mkfifo(root + "/fifo", 0o600)
            for (name, hint) in [("fifo", "kiln cp -"), ("", "-r"), ("none", "name another file")] {
                let error = #expect(throws: KilnError.self) { try HostFile.read("\(root)/\(name)") }
                #expect(error?.code == .cpFailed && error?.hint?.contains(hint) == true, "\(name)")
            }
        }
    }

    @Test("what is there is never written over, and a hostile archive leaves nothing")
    func refusals() async throws {
        try await Fixtures.withDirectory { root in
            try make(root + "/there/site")
            try make(root + "/file", "x")
            for (path, code) in [
                ("there", "cp.taken"), ("file", "cp.taken"), ("none/new", "cp.failed"), ("file/new", "cp.failed"),
            ] as [(String, ErrorCode)] {
                let error = #expect(throws: KilnError.self) {
                    try HostFolder.target("\(root)/\(path)", named: "/srv/site")
                }
                #expect(error?.code == code, "\(path)")
            }
            let error = #expect(throws: KilnError.self) {
                try HostFolder.unpack(
                    [UInt8](repeating: 7, count: 600),
                    of: Fixtures.id("shop", "web"),
                    to: root + "/new"
                )
            }
            #expect(error?.code == .cpHostile && error?.exit == .aborted)
            #expect(try names(root) == ["file", "there"])
        }
    }
}
