import Foundation
import KilnTestSupport
import Testing

@testable import KilnSystem

@Suite("The end of a file that others write")
struct FileTailTests {
    @Test("is read, as much of it as there is")
    func end() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/log"
        try Data("0123456789".utf8).write(to: URL(fileURLWithPath: path))
        #expect(FileTail.read(path, atMost: 4) == Data("6789".utf8))
        #expect(FileTail.read(path, atMost: 100) == Data("0123456789".utf8))
        try Data().write(to: URL(fileURLWithPath: path))
        #expect(FileTail.read(path, atMost: 4) == Data())
    }

    @Test(
        "is nothing where a link, a pipe, a folder or nothing lies; nobody waits for a writer",
        .timeLimit(.minutes(1))
    )
    func others() throws {
        let directory = try TemporaryDirectory()
        let file = directory.path + "/file"
        try Data("secret".utf8).write(to: URL(fileURLWithPath: file))
        #expect(symlink(file, directory.path + "/link") == 0)
        #expect(mkfifo(directory.path + "/pipe", 0o600) == 0)
        for name in ["link", "pipe", ".", "none"] {
            #expect(FileTail.read(directory.path + "/" + name, atMost: 10) == nil, "\(name)")
        }
    }
}
