import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem
import Testing

@testable import KilnHost

@Suite("The process that reads a root")
struct RootWalkTests {
    private let directory: TestDirectory

    init() throws { directory = try TestDirectory() }

    private static var executable: String {
        get throws {
            let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
            return URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent("kiln").path
        }
    }

    private func fileSystem() async throws -> String {
        let (tree, raw) = (directory.path + "/tree", directory.path + "/disk.raw")
        mkdir(tree, 0o755)
        // More names than a pipe takes, so that the process waits for its reader.
        for number in 0..<1500 { mkdir("\(tree)/\(String(repeating: "d", count: 80))\(number)", 0o755) }
        try await Command("mke2fs", ["-q", "-t", "ext4", "-N", "4096", "-d", tree, raw, "32m"]).run()
        return raw
    }

    @Test("it can open and start nothing, and lists all the same, also where nobody else runs machines")
    func limits() async throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try RootWalkTests.executable)
        process.arguments = [RootWalk.argument]
        process.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: try await fileSystem()))
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        // It confines itself before it writes.
        let start = try #require(try pipe.fileHandleForReading.read(upToCount: 1))
        let limits = try String(contentsOfFile: "/proc/\(process.processIdentifier)/limits", encoding: .utf8)
        let status = try String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)
        let rest = try #require(try pipe.fileHandleForReading.readToEnd())
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(try RootListing(start + rest, of: "the test's root").entries.count > 1500)
        for name in ["Max open files", "Max processes"] {
            let line = limits.split(separator: "\n").first { $0.hasPrefix(name) }
            #expect(line?.dropFirst(name.count).split(separator: " ").prefix(2) == ["0", "0"], "\(limits)")
        }
        #expect(status.contains("NoNewPrivs:\t1\n"))
    }

    @Test(
        "a thread that gave up its rights reaches no path",
        .enabled(if: RootWalk.landlockVersion > 0, "needs a kernel with Landlock")
    )
    func landlock() async throws {
        let file = directory.path + "/file"
        try Data("x".utf8).write(to: URL(fileURLWithPath: file))
        let codes: [Int32] = await withCheckedContinuation { continuation in
            // Landlock binds the thread that asks for it, and this one ends.
            Thread.detachNewThread {
                let isConfined = (try? RootWalk.giveUpRights()) != nil
                let calls = [
                    open(file, O_RDONLY | O_CLOEXEC), unlink(file), rename(file, file + "2"), mkdir(file + "3", 0o755),
                ]
                continuation.resume(returning: isConfined ? calls : [])
            }
        }
        #expect(codes == [-1, -1, -1, -1])
        #expect(directory.names == ["file"])
    }
}
