import Foundation
import KilnModel
import KilnSystem
import KilnTestSupport
import Testing

@testable import KilnFaults

@Suite("What faults do to this host")
struct LinuxHostTests {
    @Test("the last byte of a file that nobody may write to is another one, until it is put back; its mode stays")
    func changedByte() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.file("disk", [1, 2, 3])
        chmod(path, 0o444)
        let byte = try ChangedByte(last: path)
        #expect(byte.offset == 2 && FileManager.default.contents(atPath: path) == Data([1, 2, ~3]))
        #expect(try byte.isChanged)
        try byte.restore()
        #expect(try !byte.isChanged)
        #expect(FileManager.default.contents(atPath: path) == Data([1, 2, 3]))
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o444)
        #expect(throws: KilnError.self) { try ChangedByte(last: try directory.file("empty", [])) }
    }

    @Test("what fills a file system leaves another's file alone, and nothing where it can't fill it")
    func filler() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.file("filler", [1])
        #expect(throws: KilnError.self) { try DiskFiller(path: path).fill() }
        #expect(FileManager.default.contents(atPath: path) == Data([1]))
    }

    private let host = LinuxHost()

    @Test("a file is locked once, and can be again when it was given back")
    func hold() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "kiln-\(UUID().uuidString)").path
        try Data("disk".utf8).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let held = try host.hold(path)
        #expect(throws: KilnError.self) { try host.hold(path) }
        held.release()
        held.release()
        try host.hold(path).release()
    }

    @Test("a link is not followed to what it names")
    func link() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "kiln-\(UUID().uuidString)").path
        try Data("disk".utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.createSymbolicLink(atPath: path + ".link", withDestinationPath: path)
        defer { for path in [path, path + ".link"] { try? FileManager.default.removeItem(atPath: path) } }
        #expect(throws: KilnError.self) { try host.hold(path + ".link") }
    }

    @Test("a process that is there is running, and one that can't be is gone; no group is ever signalled")
    func processes() {
        #expect(host.state(of: getpid()) == .running)
        #expect(!host.arguments(of: getpid()).isEmpty)
        #expect(host.state(of: Int32.max) == .gone && host.arguments(of: Int32.max).isEmpty)
        #expect(!host.send(0, to: 0) && !host.send(0, to: -1) && !host.send(0, to: 1))
    }

    @Test("pauses are the same for the same seed, others for another, and never far from the middle")
    func pauses() {
        func list(_ seed: UInt64) -> [Duration] {
            var pauses = PauseSequence(around: .seconds(2), SeededChance(seed: seed))
            return (0..<100).map { _ in pauses.next() }
        }
        #expect(list(7) == list(7) && list(7) != list(8))
        #expect(list(7).allSatisfy { $0 >= .seconds(1) && $0 <= .seconds(3) })
    }
}
