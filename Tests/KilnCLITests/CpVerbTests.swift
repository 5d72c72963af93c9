import Foundation
import KilnEngine
import KilnModel
import KilnTestSupport
import Synchronization
import Testing

@testable import KilnCLI

@Suite("kiln cp of one file", .timeLimit(.minutes(3)))
struct CpVerbTests {
    private func up(_ content: [UInt8]) async throws -> WorldSession {
        let kiln = try WorldSession()
        #expect(try await kiln.kiln("up", "-f", kiln.file).status == 0)
        let workspace = try await kiln.workspace()
        let machine = try workspace.engine.machine(try workspace.engine.member(named: "web"))
        try await kiln.world.guests.write(content, to: "/etc/motd", in: machine)
        kiln.world.guests.reply { words, _ in
            guard words.contains("place") else { return nil }
            return GuestCommandResult(status: 0, output: Array("file".utf8), errors: [])
        }
        return kiln
    }

    @Test("a file comes out whole, to a file or to standard output")
    func out() async throws {
        let kiln = try await up(Array("hello".utf8))
        let target = kiln.world.root + "/motd"
        #expect(try await kiln.kiln("cp", "web:/etc/motd", target).status == 0)
        #expect(try String(contentsOfFile: target, encoding: .utf8) == "hello")
        let printed = try await kiln.kiln("cp", "web:/etc/motd", "-")
        #expect(printed.status == 0 && printed.output == "hello" && printed.errors.contains("copied 5 bytes"))
    }

    @Test("what has no end is read no further once nobody reads what comes out, be it a file or a log of the guest")
    func unread() async throws {
        let content = [UInt8](repeating: 65, count: 1 << 20)
        let kiln = try await up(content)
        let workspace = try await kiln.workspace()
        let machine = try workspace.engine.machine(try workspace.engine.member(named: "web"))
        try await kiln.world.guests.write(content, to: "/var/log/cloud-init-output.log", in: machine)
        for line in [["cp", "web:/etc/motd", "-"], ["logs", "web", "--source", "cloud-init"]] {
            let writes = Mutex(0)
            let output = ByteSink(
                write: { _ in writes.withLock { $0 += 1 } },
                state: { writes.withLock { $0 } > 0 ? .unread : .open }
            )
            let end = try await kiln.run(line, output: output)
            #expect(end.status == 0, "\(end)")
            #expect(writes.withLock { $0 } == 1, "\(line)")
        }
    }

    @Test("a file that the guest lacks leaves nothing here")
    func missing() async throws {
        let kiln = try await up([])
        let target = kiln.world.root + "/nothing"
        #expect(try await kiln.kiln("cp", "web:/nowhere", target).status == 64)
        let names = try FileManager.default.contentsOfDirectory(atPath: kiln.world.root)
        #expect(!names.contains { $0.hasPrefix("nothing") }, "\(names)")
    }
}
