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
            ("HOME=/x/a/b", false), ("/a/bc HOME=/a/b", false), ("/a/bc:/a/b", true), ("", false),
        ]
    )
    func names(_ word: String, _ expected: Bool) { #expect(HostProcesses.names(word, "/a/b") == expected) }

    @Test("a process is found by a folder in its environment, also in one longer than a page, until it has ended")
    func naming() throws {
        let directory = try TemporaryDirectory()
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sleep")
        process.arguments = ["1000"]
        process.environment = ["A": String(repeating: "a", count: 20_000), "Z": directory.path + "/file"]
        try process.run()
        #expect(HostProcesses.naming([directory.path]) == [process.processIdentifier])
        process.terminate()
        process.waitUntilExit()
        #expect(HostProcesses.naming([directory.path]).isEmpty)
    }
}
