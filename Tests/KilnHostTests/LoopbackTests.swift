import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem
import KilnTestSupport
import Testing

@testable import KilnHost

@Suite("Probes of published ports")
struct LoopbackProbeTests {
    private let probe = LoopbackProbe()
    private let short = Duration.milliseconds(500)

    private func request(contains text: String? = nil) throws -> HTTPProbe {
        HTTPProbe(port: try Name("http"), path: "/", contains: text)
    }

    @Test("a port where nobody listens does not hold yet")
    func refused() async throws {
        let port = try Listener().port
        let finding = await probe.http(try request(), on: port, within: short)
        #expect(finding == .notYet("Connection refused"))
    }

    @Test(
        "a port that accepts and never answers, as that of a guest that never ran, ends in time",
        .timeLimit(.minutes(5))
    )
    func silent() async throws {
        let listener = try Listener()
        #expect(
            await probe.http(try request(), on: listener.port, within: short)
                == .notYet("no sign of an answer in time")
        )
        #expect(
            await probe.tcp(port: listener.port, send: nil, expect: "x", within: short)
                == .notYet("no sign of an answer in time")
        )
    }

    @Test("a complete answer holds, though its sender keeps the connection open")
    func answered() async throws {
        let listener = try Listener()
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
        async let finding = probe.http(try request(contains: "ell"), on: listener.port, within: .seconds(60))
        let peer = try await listener.answer(answer)
        #expect(try await finding == .holds)
        close(peer)
    }

    @Test("an answer may take as long as the probe may, though others are tried beside it")
    func slow() async throws {
        let listener = try Listener()
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
        async let finding = probe.http(try request(), on: listener.port, within: .seconds(60))
        // Longer than an attempt takes that only looks whether the guest is there by now.
        try await Task.sleep(for: .milliseconds(2_500))
        // The first look, which has ended by now, and the patient attempt: in either order.
        let peers = [try await listener.answer(answer), try await listener.answer(answer)]
        #expect(try await finding == .holds)
        for peer in peers { close(peer) }
    }

    @Test("a text that comes in reply makes a TCP probe hold")
    func tcp() async throws {
        let listener = try Listener()
        async let finding = probe.tcp(port: listener.port, send: "ruok", expect: "imok", within: .seconds(60))
        let peer = try await listener.answer("> imok")
        #expect(await finding == .holds)
        close(peer)
    }
}

@Suite("Ports of the host")
struct LoopbackPortsTests {
    private let ports = LoopbackPorts()

    @Test("a port with a listener is not free and can't be reserved; the error names the listener")
    func listener() throws {
        let listener = try Listener()
        #expect(!ports.isFree(listener.port, .tcp))
        let error = #expect(throws: KilnError.self) { try ports.reserve([listener.port]) }
        #expect(error?.code == .portTaken)
        #expect(error?.message.contains("port \(listener.port)") == true)
        #expect(error?.message.contains("(pid \(getpid()))") == true)
    }

    // Of those from which the kernel gives none to others meanwhile, such as the clients of tests beside this one.
    private func freePort() throws -> UInt16 {
        let free = ports.choice.shuffled().first { ports.isFree($0, .tcp) }
        return try #require(free)
    }

    @Test("a reserved port is free for nobody else until it is released")
    func reservation() throws {
        let port = try freePort()
        let reservation = try ports.reserve([port])
        #expect(!ports.isFree(port, .tcp))
        reservation.release()
        #expect(ports.isFree(port, .tcp))
    }

    @Test("of several ports one that is taken leaves none reserved")
    func allOrNothing() throws {
        let free = try freePort()
        let taken = try Listener()
        #expect(throws: KilnError.self) { try ports.reserve([free, taken.port]) }
        #expect(ports.isFree(free, .tcp))
    }

    @Test(
        "ports are chosen outside the ephemeral range",
        arguments: [
            ("32768\t60999\n", 20_000...32_767), ("16000 65535", 15_000...15_999), ("1024 60999", 61_000...65_535),
            ("40000 50000", 20_000...32_767), ("", 20_000...32_767), ("30000 60999", 20_000...29_999),
        ] as [(String, ClosedRange<UInt16>)]
    )
    func choice(_ text: String, _ expected: ClosedRange<UInt16>) {
        #expect(LoopbackPorts.choice(ephemeral: text) == expected)
    }

    @Test("ports need no privilege from where the kernel says, or from 1024")
    func lowest() {
        #expect(LoopbackPorts.lowest("80\n") == 80)
        #expect(LoopbackPorts.lowest("0\n") == 0)
        #expect(LoopbackPorts.lowest("") == 1_024)
    }

    @Test("a line of the kernel's table is read, its heading is not")
    func table() {
        let line = "   0: 0100007F:4E20 00000000:0000 0A 00000000:00000000 00:00000000 00000000   999        0 4242 1 0"
        #expect(TCPTable.entry(line) == TCPTable.Entry(port: 20_000, isListening: true, inode: 4242))
        #expect(TCPTable.entry("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when") == nil)
    }
}

extension Listener {
    /// Accepts one connection, reads what comes first and answers; the caller closes the connection.
    func answer(_ text: String) async throws -> Int32 {
        let socket = socket
        return await BlockingWork.run {
            let peer = accept(socket, nil, nil)
            var buffer = [UInt8](repeating: 0, count: 4096)
            _ = recv(peer, &buffer, buffer.count, 0)
            _ = Array(text.utf8).withUnsafeBytes { send(peer, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            return peer
        }
    }
}
