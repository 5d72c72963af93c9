import Foundation
import Glibc
import KilnModel
import KilnSystem
import Testing

@testable import KilnHost

@Suite("Short names of long homes")
struct DaemonHomeAliasTests {
    private let root = FileManager.default.temporaryDirectory.appendingPathComponent("kiln-alias-\(UUID().uuidString)")
        .path
    private var directory: String { root + "/private" }

    private func inRoot(_ body: () throws -> Void) throws {
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: root) }
        try body()
    }

    private func longHome() throws -> String {
        let home = root + "/" + String(repeating: "h", count: 120)
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: false)
        return home
    }

    @Test("a path that fits is used as it is, and no link appears")
    func shortEnough() throws {
        let alias = HomeAlias(home: "/home/dev/kiln/", directory: directory)
        #expect(try alias.shortPath(for: "/home/dev/kiln/x.sock") == "/home/dev/kiln/x.sock")
        #expect(!FileManager.default.fileExists(atPath: directory))
    }

    @Test("a long path is reached through the link, and again after the link was swept away")
    func throughLink() throws {
        try inRoot {
            let home = try longHome()
            let alias = HomeAlias(home: home, directory: directory)
            for _ in 0..<2 {
                let short = try alias.shortPath(for: home + "/console.sock")
                #expect(short.utf8.count <= UnixSocket.longestPath)
                try Data("here".utf8).write(to: URL(fileURLWithPath: short))
                #expect(FileManager.default.contents(atPath: home + "/console.sock") == Data("here".utf8))
                try FileManager.default.removeItem(atPath: directory)
            }
        }
    }

    @Test("a blank in the path takes the link where only plain paths are possible")
    func plain() throws {
        try inRoot {
            let alias = HomeAlias(home: root + "/a b", directory: directory)
            let short = try alias.shortPath(for: root + "/a b/d", plain: true)
            #expect(short == alias.link + "/d")
        }
    }

    @Test("what others could have made is refused", arguments: ["link", "file", "writable", "foreign", "elsewhere"])
    func hostile(_ trap: String) throws {
        try inRoot {
            let home = try longHome()
            let alias = HomeAlias(home: home, directory: directory)
            switch trap {
            case "link": symlink(home, directory)
            case "file": #expect(FileManager.default.createFile(atPath: directory, contents: nil))
            case "elsewhere":
                mkdir(directory, 0o700)
                symlink("/etc", alias.link)
            default:
                mkdir(directory, 0o700)
                chmod(directory, trap == "writable" ? 0o777 : 0o700)
                // Only root can make a directory of somebody else.
                guard trap != "foreign" || chown(directory, 12345, 12345) == 0 else { return }
            }
            let error = #expect(throws: KilnError.self) { try alias.shortPath(for: home + "/s") }
            #expect(error?.code == .aliasUnsafe)
        }
    }

    @Test("a path outside the home, or too long even with the link, is refused")
    func impossible() {
        let alias = HomeAlias(home: "/h", directory: directory)
        for path in ["/other/" + String(repeating: "x", count: 120), "/h/" + String(repeating: "x", count: 120)] {
            #expect { try alias.shortPath(for: path) } throws: { ($0 as? KilnError)?.code == .aliasTooLong }
        }
    }

    @Test("removing takes our own link and nothing else")
    func removal() throws {
        try inRoot {
            let home = try longHome()
            let alias = HomeAlias(home: home, directory: directory)
            _ = try alias.shortPath(for: home + "/s")
            alias.remove()
            #expect(!FileManager.default.fileExists(atPath: directory))
            mkdir(directory, 0o700)
            symlink("/etc", alias.link)
            alias.remove()
            #expect((try? FileManager.default.destinationOfSymbolicLink(atPath: alias.link)) == "/etc")
        }
    }
}
