import Foundation
import KilnTestSupport
import Testing

@testable import KilnSystem

@Suite("Processes of this host")
struct HostProcessesTests {
    @Test("one that is there has a name, arguments, a state and descriptors; of one that can't be there is nothing")
    func own() {
        #expect(HostProcesses.all().contains(getpid()))
        #expect(HostProcesses.name(of: getpid())?.isEmpty == false && !HostProcesses.arguments(of: getpid()).isEmpty)
        #expect(HostProcesses.state(of: getpid()) == .running && !HostProcesses.descriptors(of: getpid()).isEmpty)
        #expect(HostProcesses.name(of: .max) == nil && HostProcesses.arguments(of: .max).isEmpty)
        #expect(HostProcesses.state(of: .max) == .gone && HostProcesses.descriptors(of: .max).isEmpty)
    }

    @Test(
        "a word names a path where it stands there as a whole, or something in it",
        arguments: [
            ("/a/b", true), ("/a/b/c", true), ("HOME=/a/b", true), ("file=/a/b/d.qcow2,if=none", true),
            (#"{"filename":"/a/b/d"}"#, true), ("unix:/a/b", true), ("/x/a/b", false), ("/a/bc", false),
            ("/a/b.c", false),
            ("HOME=/x/a/b", false), ("/a/bc HOME=/a/b", true), ("/a/bc:/a/b", true), ("", false),
        ]
    )
    func names(_ word: String, _ expected: Bool) { #expect(HostProcesses.names(word, "/a/b") == expected) }

    @Test("a process is found by a folder in its environment, also in one longer than a page, until it has ended")
    func naming() throws {
        let directory = try TemporaryDirectory()
        let (process, input, output) = (Process(), Pipe(), Pipe())
        process.executableURL = URL(filePath: "/bin/cat")
        process.environment = ["A": String(repeating: "a", count: 20_000), "Z": directory.path + "/file"]
        (process.standardInput, process.standardOutput) = (input, output)
        try process.run()
        // Its environment is there a moment after it has begun; an answer says that it is.
        try input.fileHandleForWriting.write(contentsOf: Data("here".utf8))
        #expect(try output.fileHandleForReading.read(upToCount: 4)?.count == 4)
        #expect(HostProcesses.naming([directory.path]) == [process.processIdentifier])
        // What begins on a thread of Dispatch has SIGTERM blocked, and hands that on.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        #expect(HostProcesses.naming([directory.path]).isEmpty)
    }
}
