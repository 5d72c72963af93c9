import Foundation
import Glibc
import KilnModel
import KilnSystem
import Synchronization
import Testing

@testable import KilnCLI

@Suite("Logs and consoles")
struct StreamTests {
    /// Collects bytes and tells when enough of them are there.
    private final class Collector: Sendable {
        private let bytes = Mutex<[UInt8]>([])
        private let news = AsyncStream.makeStream(of: Void.self)

        func take(_ more: ArraySlice<UInt8>) {
            bytes.withLock { $0 += more }
            news.continuation.yield()
        }

        var text: String { bytes.withLock { String(decoding: $0, as: UTF8.self) } }

        func wait(for text: String) async {
            if self.text == text { return }
            for await _ in news.stream where self.text == text { return }
        }
    }

    @Test("a log is followed as it grows, until the wait is cancelled", .timeLimit(.minutes(3)))
    func followed() async throws {
        try await Fixtures.withDirectory { directory in
            let path = directory + "/console.log"
            try Data("one\n".utf8).write(to: URL(fileURLWithPath: path))
            let collector = Collector()
            let reading = Task {
                try await Wakeup.run { wakeup in try FollowedFile(path: path).read(until: wakeup) { collector.take($0) }
                }
            }
            await collector.wait(for: "one\n")
            let file = try #require(FileHandle(forWritingAtPath: path))
            try file.seekToEnd()
            try file.write(contentsOf: Data("two\n".utf8))
            await collector.wait(for: "one\ntwo\n")
            reading.cancel()
            try await reading.value
        }
    }

    @Test("without --follow a log ends where it ends; one that isn't there is named")
    func whole() async throws {
        try await Fixtures.withDirectory { directory in
            let path = directory + "/log"
            try Data("all".utf8).write(to: URL(fileURLWithPath: path))
            let collector = Collector()
            try FollowedFile(path: path).read(until: nil) { collector.take($0) }
            #expect(collector.text == "all")
            #expect { try FollowedFile(path: directory + "/none").read(until: nil) { _ in } } throws: {
                ($0 as? KilnError)?.code == .logsMissing
            }
            // A link in a directory that guests' users can write to could lead anywhere.
            symlink(path, directory + "/link")
            #expect(throws: KilnError.self) { try FollowedFile(path: directory + "/link").read(until: nil) { _ in } }
        }
    }

    @Test("the console passes bytes both ways, and Ctrl-] leaves it", .timeLimit(.minutes(3)))
    func console() async throws {
        try await Fixtures.withDirectory { directory in
            let path = directory + "/c"
            let server = try listening(at: path)
            defer { close(server) }
            var keys: [Int32] = [-1, -1]
            #expect(pipe(&keys) == 0)
            let (keyboard, fingers) = (keys[0], keys[1])
            defer { [keyboard, fingers].forEach { close($0) } }
            let collector = Collector()
            let passing = Task {
                try await Wakeup.run { wakeup in
                    let console = try ConsoleConnection(path: path)
                    defer { console.close() }
                    console.pass(input: keyboard, wakeup: wakeup) { collector.take($0) }
                }
            }
            let guest = try await Wakeup.run { _ in accept(server, nil, nil) }
            defer { close(guest) }
            _ = write(guest, "login: ", 7)
            await collector.wait(for: "login: ")
            _ = write(fingers, "ab\u{1d}never", 8)
            try await passing.value
            var typed = [UInt8](repeating: 0, count: 16)
            #expect(read(guest, &typed, 16) == 2)
            #expect(typed.prefix(2) == [0x61, 0x62])
            #expect(read(guest, &typed, 16) == 0)
        }
    }

    @Test("a console whose output nobody takes ends when it is cancelled, or with its reader", .timeLimit(.minutes(3)))
    func unreadConsole() async throws {
        try await Fixtures.withDirectory { directory in
            for leaves in [false, true] {
                let path = directory + "/c\(leaves)"
                let server = try listening(at: path)
                defer { close(server) }
                let (readEnd, writeEnd) = try Wakeup.pipe()
                defer { close(writeEnd) }
                let output = ByteSink.descriptor(writeEnd)
                let passing = Task.detached {
                    try await Wakeup.run { wakeup in
                        let console = try ConsoleConnection(path: path)
                        defer { console.close() }
                        console.pass(input: nil, wakeup: wakeup, for: output) { output.write(Array($0)) }
                    }
                }
                let guest = try await Wakeup.run { _ in accept(server, nil, nil) }
                defer { close(guest) }
                if leaves {
                    // It says nothing more, and still nobody waits for it.
                    close(readEnd)
                } else {
                    defer { close(readEnd) }
                    let said = [UInt8](repeating: 65, count: 4096)
                    while Descriptor.isReady(writeEnd, for: .writing) {
                        _ = send(guest, said, said.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
                    }
                    passing.cancel()
                    try await passing.value
                }
                try await passing.value
            }
        }
    }

    @Test("a console that nobody serves is an error that says what to do")
    func unreachable() {
        #expect { try ConsoleConnection(path: "/nonexistent/socket") } throws: {
            ($0 as? KilnError)?.code == .consoleUnreachable
        }
        #expect { try ConsoleConnection(path: String(repeating: "x", count: 200)) } throws: {
            ($0 as? KilnError)?.code == .consoleUnreachable
        }
    }

    private func listening(at path: String) throws -> Int32 {
        let server = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(server, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0 && listen(server, 1) == 0)
        return server
    }
}
