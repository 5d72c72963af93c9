import Foundation
import Glibc
import KilnSystem
import Testing

@testable import LibvirtKit

@Suite("typed errors")
struct ErrorTests {
    @Test("a missing domain is nil when looked up and a typed error when acted on")
    func missingDomain() async throws {
        try await TestNode.connected { connection in
            let ghost = try await connection.domain(named: "ghost")
            #expect(ghost == nil)
            let error = await #expect(throws: LibvirtError.self) { try await connection.startDomain(named: "ghost") }
            #expect(error?.code == .noDomain)
            #expect(error?.origin == .test)
            #expect(error?.operation == "start domain")
            #expect(error?.subject == "ghost")
        }
    }

    @Test("what is off, or not there, is destroyed already")
    func alreadyOff() async throws {
        try await TestNode.connected { connection in
            try await connection.destroyDomain(named: "seeded")
            try await connection.destroyDomain(named: "seeded")
            #expect(try await connection.domain(named: "seeded")?.isActive == false)
            try await connection.destroyDomain(named: "ghost")
        }
    }

    @Test("XML that is not well formed, or not in the schema, is told apart")
    func badXML() async throws {
        try await TestNode.connected { connection in
            let broken = await #expect(throws: LibvirtError.self) { try await connection.defineDomain(xml: "<domain") }
            #expect(broken?.code == .xmlDetail)
            let misspelt = TestNode.domain("web").replacing("memory", with: "memroy")
            let refused = await #expect(throws: LibvirtError.self) { try await connection.defineDomain(xml: misspelt) }
            #expect(refused?.code == .xmlInvalidSchema)
        }
    }

    @Test("a name with a NUL is refused instead of being cut")
    func nulInName() async throws {
        try await TestNode.connected { connection in
            let error = await #expect(throws: LibvirtError.self) {
                try await connection.destroyDomain(named: "seeded\0x")
            }
            #expect(error?.code == .invalidArgument)
            let state = try await connection.domainState(named: "seeded")
            #expect(state == .running)
        }
    }

    @Test("agent and monitor are unsupported by the test driver, as a typed error")
    func unsupported() async throws {
        try await TestNode.connected { connection in
            let agent = GuestAgent(of: "seeded", on: connection)
            let ping = await #expect(throws: LibvirtError.self) { try await agent.ping() }
            #expect(ping?.code == .noSupport)
            let monitor = await #expect(throws: LibvirtError.self) {
                try await connection.monitorCommand("info status", of: "seeded", style: .human)
            }
            #expect(monitor?.code == .noSupport)
        }
    }

    @Test("a closed connection refuses calls, and closing it twice is fine")
    func closed() async throws {
        let node = try TestNode()
        let connection = try await LibvirtConnection.open(node.uri)
        try await connection.close()
        try await connection.close()
        #expect(await connection.closeReason == .client)
        #expect(await !connection.isAlive())
        let error = await #expect(throws: LibvirtError.self) { try await connection.domains() }
        #expect(error?.code == .invalidConnection)
    }

    @Test("an unreachable daemon is a typed error")
    func unreachable() async throws {
        let node = try TestNode()
        let uri = "qemu+unix:///session?socket=\(node.folder.path)/none.sock"
        let error = await #expect(throws: LibvirtError.self) { try await LibvirtConnection.open(uri) }
        #expect(error?.code == .systemError)
        #expect(error?.subject == uri)
    }

    @Test("a daemon that accepts and says nothing is given up at the deadline")
    func silentDaemon() async throws {
        let node = try TestNode()
        let path = node.folder.path + "/silent.sock"
        let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0 && listen(listener, 1) == 0)
        let uri = "qemu+unix:///session?socket=\(path)"
        let error = await #expect(throws: DeadlineExceeded.self) {
            try await LibvirtConnection.open(uri, within: .milliseconds(300))
        }
        #expect(error?.operation.contains(path) == true)
    }

    @Test("the trace has every call with its duration and outcome, and no document")
    func trace() async throws {
        Trace.start(sinks: [])
        let name = "traced-\(UInt64.random(in: .min ... .max))"
        try await TestNode.connected { connection in
            try await connection.defineDomain(xml: TestNode.domain(name))
            _ = try? await connection.resumeDomain(named: name)
        }
        let lines = Trace.text.split(separator: "\n").filter { $0.contains(name) }
        #expect(lines.contains { $0.contains("read state of domain '\(name)' ms=") && $0.hasSuffix("outcome=ok") })
        #expect(lines.contains { $0.contains("resume domain '\(name)'") && $0.contains("outcome=code ") })
        #expect(Trace.text.contains("libvirt define domain on 'test://"))
        #expect(!lines.contains { $0.contains("<domain") })
    }

    @Test("an unknown code survives")
    func unknownCode() {
        #expect(LibvirtError.Code(rawValue: 4711).rawValue == 4711)
        #expect(LibvirtError.Code(rawValue: 42) == .noDomain)
    }

    @Test("libvirt prints nothing to stderr")
    func silence() async throws {
        let result = try await #require(processExitsWith: .success, observing: [\.standardErrorContent]) {
            let connection = try await LibvirtConnection.open("test:///default")
            _ = try? await connection.startDomain(named: "ghost")
            try await connection.close()
        }
        #expect(result.standardErrorContent.isEmpty)
    }
}
