import Foundation
import KilnModel
import KilnTestSupport
import Testing

@testable import KilnSystem

@Suite("The archive of a whole tree")
struct TarStreamTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func entry(_ path: String, _ kind: TarEntry.Kind = .file) -> TarEntry {
        let names = path.split(separator: "/").map { Array($0.utf8) }
        return TarEntry(path: names, kind: kind, mode: 0o644, user: 0, group: 0)
    }

    private func file(_ path: String, _ content: [UInt8]) -> [UInt8] {
        var file = entry(path)
        file.size = UInt64(content.count)
        let whole = TarContent(ranges: content.isEmpty ? [] : [0..<file.size], size: file.size)
        return file.header(whole) + content + TarEntry.padding(after: file.size)
    }

    private func archive(_ bytes: [UInt8]) throws -> String {
        try directory.file("archive-\(UUID().uuidString).tar", bytes)
    }

    private func read(_ bytes: [UInt8]) throws -> [(entry: TarEntry, content: [UInt8])] {
        let file = try OpenFile(reading: try archive(bytes))
        var stream = TarStream(file.descriptor, named: "the test's")
        var found: [(TarEntry, [UInt8])] = []
        while let entry = try stream.next() {
            var content: [UInt8] = []
            if entry.kind == .file { try stream.readContent { content += $0 } }
            found.append((entry, content))
        }
        return found
    }

    private func refusal(_ bytes: [UInt8]) -> String? {
        do {
            _ = try read(bytes)
            return nil
        } catch { return "\(error)" }
    }

    /// One of each kind, with everything that does not fit into a header of its own.
    private var everything: [TarEntry] {
        let long = String(repeating: "long/", count: 60)
        var folders = (1...60).map { entry(String(repeating: "long/", count: $0), .folder) }
        folders[0].modified = TarEntry.Time(seconds: -2, nanoseconds: 250_000_000)
        var odd = entry(long + "n\u{e4}\nme=%", .link(to: Array(String(repeating: "x", count: 300).utf8)))
        (odd.user, odd.group, odd.mode) = (4_000_000_000, 3_000_000, 0o7777)
        odd.modified = TarEntry.Time(seconds: 1 << 34, nanoseconds: 1)
        odd.attributes = [
            TarEntry.Attribute(name: Array("user.a=b%".utf8), value: [0, 10, 61, 255]),
            TarEntry.Attribute(name: Array("security.capability".utf8), value: [UInt8](repeating: 1, count: 5000)),
        ]
        var raw = entry("raw", .pipe)
        raw.path = [[0xff, 0x0a, 0x01]]
        return [entry("", .folder)] + folders
            + [
                odd, entry("null", .character(major: 1, minor: 3)), entry("disk", .block(major: 259, minor: 70_000)),
                raw,
                entry("null2", .hardLink(to: [Array("null".utf8)])),
            ]
    }

    @Test("what is written is read again, whatever it is")
    func roundTrip() throws {
        let found = try read(everything.flatMap { $0.header() } + TarEntry.end)
        #expect(found.map(\.entry) == everything)
    }

    @Test("tar lists it in the same way, with numbers, links, devices and times")
    func listed() async throws {
        let path = try archive(everything.flatMap { $0.header() } + TarEntry.end)
        let lines = try await Command("tar", ["--full-time", "--numeric-owner", "-tvf", path]).run().text
        #expect(lines.contains("4000000000/3000000"))
        #expect(lines.contains("2514-05-30 01:53:04.000000001"))
        // tar 1.34 shows 23:59:59.75.
        #expect(lines.contains("1969-12-31 23:59:5"))
        #expect(lines.contains("259,70000"))
        #expect(lines.contains("null2 link to ./null"))
    }

    @Test("holes stay holes: in the archive, for whoever reads it, and for tar")
    func holes() async throws {
        let data = [UInt8](repeating: 7, count: 4096)
        var sparse = entry("sparse")
        sparse.size = 4 << 20
        let content = TarContent(ranges: [4096..<8192, 1 << 20..<(1 << 20) + 4096], size: sparse.size)
        var archived = sparse.header(content) + data + data + TarEntry.padding(after: 8192)
        var empty = entry("empty")
        empty.size = 5000
        archived += empty.header(TarContent(ranges: [], size: 5000))
        archived += file("last", [1, 2, 3]) + TarEntry.end
        #expect(archived.count < 20_000)
        let file = try OpenFile(reading: try archive(archived))
        var stream = TarStream(file.descriptor, named: "the test's")
        let first = try #require(try stream.next())
        #expect(first == sparse)
        var (count, sum) = (0, 0)
        try stream.readContent { piece in
            count += piece.count
            sum += piece.reduce(0) { $0 + Int($1) }
        }
        #expect(count == 4 << 20 && sum == 2 * 4096 * 7)
        #expect(try stream.next()?.size == 5000)
        let last = try #require(try stream.next())
        #expect(last.path == [Array("last".utf8)] && last.size == 3)
        #expect(try stream.next() == nil)
        try await Command("tar", ["-C", directory.path, "-xf", file.path]).run()
        var status = stat()
        #expect(stat(directory.path + "/sparse", &status) == 0 && status.st_size == 4 << 20 && status.st_blocks < 100)
        #expect(stat(directory.path + "/empty", &status) == 0 && status.st_size == 5000 && status.st_blocks == 0)
    }

    @Test("what tar writes of a folder is read, through a pipe as well")
    func written() async throws {
        let folder = directory.path + "/folder"
        mkdir(folder, 0o755)
        let name = String(repeating: "n", count: 200)
        _ = try directory.file("folder/\(name)", Array("content".utf8))
        link(folder + "/" + name, folder + "/second")
        symlink("nowhere", folder + "/link")
        let sparse = open(folder + "/sparse", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        pwrite(sparse, "x", 1, 8 << 20)
        close(sparse)
        let path = directory.path + "/folder.tar"
        try await Command("tar", ["-C", folder, "--format=pax", "--sparse", "-cf", path, "."]).run()
        var ends: [CInt] = [0, 0]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        try #require(socketpair(AF_UNIX, kind, 0, &ends) == 0)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        let writer = FileHandle(fileDescriptor: ends[1], closeOnDealloc: true)
        async let written: Void = BlockingWork.run {
            try? writer.write(contentsOf: bytes)
            try? writer.close()
        }
        var stream = TarStream(ends[0], named: "the test's")
        var sizes: [String: UInt64] = [:]
        while let entry = try stream.next() {
            sizes[entry.path.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "/")] = entry.size
        }
        close(ends[0])
        await written
        #expect(sizes["sparse"] == (8 << 20) + 1)
        #expect(sizes[name] == 7 || sizes["second"] == 7)
        #expect(sizes.count == 5)
    }

    @Test("what leads elsewhere, stands in its own way or is cut off is refused")
    func hostile() {
        func header(_ path: String, _ kind: TarEntry.Kind = .file) -> [UInt8] { entry(path, kind).header() }
        let first = Array("a".utf8)
        for (bytes, why) in [
            (header("../x"), "leads out"), (header("a", .folder) + header("a/../../b"), "leads out"),
            (header("a", .link(to: Array("/etc".utf8))) + header("a/passwd"), "no folder"),
            (header("a") + header("a", .link(to: first)), "twice"), (header("no/b"), "no folder"),
            (header("a", .hardLink(to: [Array("..".utf8), first])), "leads out"),
            (header("a", .hardLink(to: [first])), "not in it"),
            (header("b", .folder) + header("a", .hardLink(to: [Array("b".utf8)])), "not in it"),
            (header("a", .link(to: [])), "link to nothing"), (header(""), "is no folder"),
            (file("a", [1, 2, 3]).dropLast(512), "ends too soon"), (header("a").dropLast(1), "ends too soon"),
        ] as [([UInt8], String)] {
            let found = refusal(bytes + (why == "ends too soon" ? [] : TarEntry.end))
            #expect(found?.contains(why) == true, "\(why): \(found ?? "accepted")")
        }
    }

    @Test("mutated archives end in entries or in a refusal, soon, and never lead elsewhere", .timeLimit(.minutes(60)))
    func mutated() throws {
        var sparse = entry("sparse")
        sparse.size = 1 << 16
        let content = TarContent(ranges: [0..<512, 4096..<8192], size: sparse.size)
        let data = [UInt8](repeating: 7, count: 4608)
        let whole =
            entry("", .folder).header() + file("a", [1, 2, 3])
            + everything.suffix(4).flatMap { $0.header() } + sparse.header(content) + data + TarEntry.end
        let descriptor = open(try archive(whole), O_RDWR | O_CLOEXEC)
        defer { close(descriptor) }
        for number in Mutations.numbers(4_000, of: 200_000) {
            var bytes = whole
            var random = Mutations.spoil(&bytes, in: Array(bytes.indices), number: number)
            // A sum that is right lets more of what is wrong through.
            for start in stride(from: 0, to: bytes.count - 512, by: 512) where Bool.random(using: &random) {
                guard bytes[start + 257..<start + 262].elementsEqual("ustar".utf8) else { continue }
                bytes.replaceSubrange(start + 148..<start + 156, with: "        ".utf8)
                let sum = String(bytes[start..<start + 512].reduce(0) { $0 + Int($1) }, radix: 8)
                let digits = String(repeating: "0", count: 6 - sum.count) + sum + "\0 "
                bytes.replaceSubrange(start + 148..<start + 156, with: digits.utf8)
            }
            #expect(pwrite(descriptor, bytes, bytes.count, 0) == bytes.count)
            lseek(descriptor, 0, SEEK_SET)
            var stream = TarStream(descriptor, named: "the test's")
            do {
                while let entry = try stream.next() {
                    #expect(!entry.path.contains(Array("..".utf8)) && !entry.path.contains { $0.contains(0x2f) })
                    if entry.size <= 1 << 20 { try stream.readContent { _ in } }
                }
            } catch { #expect(error is TarArchive.Refusal, "mutation \(number): \(error)") }
        }
    }
}
