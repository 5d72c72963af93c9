import Foundation
import KilnModel
import KilnSystem
import Testing

@testable import KilnHost

@Suite("Daemon layout")
struct DaemonLayoutTests {
    @Test("the longest base leaves room for QEMU's monitor socket")
    func longestBase() {
        let base = String(repeating: "b", count: DaemonLayout.longestBase)
        let monitor = "\(base)/config/libvirt/qemu/lib/domain-99999-\(String(repeating: "n", count: 20))/monitor.sock"
        #expect(monitor.utf8.count == UnixSocket.longestPath)
    }

    @Test("an alias of the largest user id is still a possible base")
    func largestUser() {
        #expect("/tmp/kiln-\(UInt32.max)/01234567/daemon".utf8.count <= DaemonLayout.longestBase)
    }

    @Test("the environment is complete and holds nothing of ours")
    func environment() {
        let names = DaemonLayout(base: "/b").environment.map { $0.prefix { $0 != "=" } }
        #expect(
            Set(names) == [
                "PATH", "LANG", "HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "XDG_DATA_HOME",
                "XDG_STATE_HOME",
            ]
        )
    }

    @Test("the URI encodes what a query can't hold")
    func uri() {
        let uri = DaemonLayout(base: "/a b&c#d?é%").uri
        #expect(
            uri == "qemu+unix:///session?socket=/a%20b%26c%23d%3F%C3%A9%25/run/libvirt/libvirt-sock"
        )
    }

    @Test("a report survives its way through the pipe")
    func report() {
        let error = KilnError("a.b", "line\nline", hint: nil, cause: "why", exit: .unreachable)
        #expect(DaemonReport(text: DaemonReport.failed(error).text) == .failed(error))
        #expect(DaemonReport(text: DaemonReport.ready.text) == .ready)
        #expect(DaemonReport(text: "") == nil)
    }

    @Test("a host's uptime has a name that stays")
    func epoch() {
        #expect(DaemonReaper.currentEpoch().count > 36)
        #expect(DaemonReaper.currentEpoch() == DaemonReaper.currentEpoch())
    }

    @Test("ordinary arguments don't make a reaper")
    func ordinaryArguments() {
        DaemonReaper.runIfRequested(arguments: ["kiln"])
        DaemonReaper.runIfRequested(arguments: ["kiln", "ps", "a", "3"])
        DaemonReaper.runIfRequested(arguments: ["kiln", "__daemon", "a", "not-a-number"])
    }

    @Test("what a daemon left is kept in the same uptime of the host and forgotten in another")
    func uptime() throws {
        let base = FileManager.default.temporaryDirectory.appendingPathComponent("kiln-run-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: base) }
        let layout = DaemonLayout(base: base)
        for name in DaemonLayout.directories {
            try FileManager.default.createDirectory(atPath: "\(base)/\(name)", withIntermediateDirectories: true)
        }
        let left = base + "/run/left.pid"
        try DaemonReaper.prepare(layout)
        #expect(FileManager.default.createFile(atPath: left, contents: nil))
        try DaemonReaper.prepare(layout)
        #expect(FileManager.default.fileExists(atPath: left))
        try Data("another uptime".utf8).write(to: URL(fileURLWithPath: layout.epochFile))
        try DaemonReaper.prepare(layout)
        #expect(!FileManager.default.fileExists(atPath: left))
        for (path, text) in layout.configuration {
            #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
        }
    }
}
