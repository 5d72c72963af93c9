import Foundation
import KilnModel
import KilnTestSupport
import Testing

@testable import KilnSystem

@Suite("A guest's archive of a folder")
struct TarArchiveTests {
    private let directory: TemporaryDirectory
    private let folder: String

    init() throws {
        directory = try TemporaryDirectory()
        folder = directory.path + "/folder"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    }

    /// An entry as ustar writes it.
    private func entry(
        _ name: String,
        _ type: Character = "0",
        _ content: [UInt8] = [],
        target: String = "",
        mode: Int = 0o644
    ) -> [UInt8] {
        var head = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at offset: Int) {
            for (index, byte) in text.utf8.enumerated() { head[offset + index] = byte }
        }
        func octal(_ value: Int, _ length: Int) -> String {
            let digits = String(value, radix: 8)
            return String(repeating: "0", count: length - digits.count) + digits
        }
        put(name, at: 0)
        put(octal(mode, 7), at: 100)
        put(octal(content.count, 11), at: 124)
        put(octal(1_000_000_000, 11), at: 136)
        put("        ", at: 148)
        put(String(type), at: 156)
        put(target, at: 157)
        put("ustar", at: 257)
        put(octal(head.reduce(0) { $0 + Int($1) }, 6) + "\0", at: 148)
        return head + content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
    }

    private let end = [UInt8](repeating: 0, count: 1024)

    private func refusal(_ bytes: [UInt8], limit: Int = 1 << 20) -> String? {
        do {
            _ = try TarArchive(bytes, limit: limit)
            return nil
        } catch { return error.description }
    }

    @Test("what leads out of its folder, is no file, folder or link, or stands in its own way is refused by name")
    func hostile() {
        let top = entry("./", "5")
        for (archive, why) in [
            (entry("/etc/passwd"), "/etc/passwd, which leads out"), (entry("../x"), "leads out"),
            (entry("a/../../x"), "leads out"), (entry("./a/b/../c"), "leads out"),
            (entry("a", "2", target: "/etc") + entry("a/passwd"), "lies in no folder"),
            (entry("a", "2", target: ".") + entry("a", "5"), "twice"),
            (entry("a") + entry("./a", "2", target: "/etc/passwd"), "twice"),
            (entry("a") + entry("a/b"), "lies in no folder"), (entry("no/b"), "lies in no folder"),
            (entry("a", "1", target: "/etc/shadow"), "leads out"),
            (entry("a", "1", target: "none"), "second name of a file that is not in it"),
            (entry("a", "2", target: "/etc/shadow") + entry("b", "1", target: "a"), "not in it"),
            (entry("a", "3"), "a device"), (entry("a", "4"), "a device"), (entry("a", "6"), "a FIFO"),
            (entry("a", "S"), "does not unpack"), (entry("a", "V"), "does not unpack"),
            (entry("a", "2"), "link to nothing"),
            (entry("."), "twice"), (entry("", "2", target: "/etc"), "twice"),
            (entry("x", "x", Array("19 path=/etc/shadow\n".utf8)) + entry("a"), "wrong"),
            (entry("x", "x", Array("20 path=/etc/shadow\n".utf8)) + entry("a"), "leads out"),
            (entry("x", "x", Array("12 size=99\n".utf8)) + entry("a"), "wrong"),
            (entry("x", "x", Array("11 size=99\n".utf8)) + entry("a"), "size of its own"),
            (entry("L", "L", Array("../../etc/x\0".utf8)) + entry("a"), "leads out"),
        ] {
            let found = refusal(top + archive + end)
            #expect(found?.contains(why) == true, "\(why): \(found ?? "accepted")")
        }
        for top in [entry("."), entry("./", "2", target: "/etc")] {
            #expect(refusal(top + end)?.contains("is no folder") == true)
        }
    }

    @Test("an archive that is cut off, damaged or larger than it may be is refused")
    func damaged() {
        let good = entry("./", "5") + entry("a", "0", [UInt8](repeating: 7, count: 5000)) + end
        #expect(refusal(good) == nil)
        for length in [1, 511, 513, 1024, 3000] { #expect(refusal(Array(good.prefix(length))) != nil, "\(length)") }
        for offset in [0, 100, 124, 136, 148, 156, 511, 512 + 130] {
            var bad = good
            bad[offset] ^= 1
            #expect(refusal(bad)?.contains("damaged") == true, "\(offset)")
        }
        #expect(refusal(good, limit: 4999)?.contains("more than") == true)
        // Second names of one file count each.
        let names = (0..<10).flatMap { entry("b\($0)", "1", target: "a") }
        #expect(refusal(good.dropLast(1024) + names + end, limit: 50_000)?.contains("more than") == true)
        var huge = entry("a")
        huge.replaceSubrange(124..<136, with: [0x80] + [UInt8](repeating: 0xff, count: 11))
        #expect(refusal(huge + end) != nil)
    }

    @Test("any single byte that differs leads to no crash, and to no name outside")
    func everyByte() {
        let good =
            entry("./", "5") + entry("L", "L", Array("long/\0".utf8)) + entry("x", "5")
            + entry("x", "x", Array("20 path=long/another\n".utf8)) + entry("y", "0", [1, 2, 3])
            + entry("z", "2", target: "/x") + end
        for offset in good.indices {
            for value in [0, UInt8(ascii: "/"), UInt8(ascii: "."), 0x80, 0xff] as [UInt8] {
                var bad = good
                bad[offset] = value
                guard let archive = try? TarArchive(bad, limit: 1 << 20) else { continue }
                #expect(!archive.entries.contains { $0.path.contains(Array("..".utf8)) })
            }
        }
    }

    /// A folder with long names, links, a second name, a closed folder and a set-user-id.
    ///
    /// - Parameter isOld: whether its names fit into the format of 1988.
    private func fill(_ path: String, isOld: Bool) throws {
        let long = path + "/" + String(repeating: "long", count: isOld ? 22 : 40)
        try FileManager.default.createDirectory(atPath: long + "/deep/deeper", withIntermediateDirectories: true)
        try Data("x".utf8).write(
            to: URL(fileURLWithPath: long + "/deep/deeper/" + String(repeating: "n", count: isOld ? 90 : 200))
        )
        try Data(repeating: 9, count: 3000).write(to: URL(fileURLWithPath: path + "/program"))
        link(path + "/program", path + "/second")
        symlink("/etc/passwd", path + "/out")
        symlink(String(repeating: "../", count: isOld ? 20 : 60) + "far", path + "/far")
        chmod(path + "/program", 0o4750)
        mkdir(path + "/closed", 0o700)
        try Data("in".utf8).write(to: URL(fileURLWithPath: path + "/closed/file"))
        chmod(path + "/closed", 0o500)
    }

    private func tree(_ path: String, _ format: String) async throws -> String {
        let line =
            "cd \"$1\" && find . ! -type l -printf '%P \(format)\\n' -o -printf '%P -> %l\\n' | sort; "
            + "find . -type f | sort | xargs cat | cksum"
        return try await Command("/bin/sh", ["-c", line, "sh", path]).run().text
    }

    @Test(
        "what GNU tar and busybox pack is unpacked as it was, with permissions and times, without set-user-id",
        arguments: ["tar --format=gnu", "tar --format=pax", "busybox tar"]
    )
    func unpacked(program: String) async throws {
        let origin = directory.path + "/origin"
        try FileManager.default.createDirectory(atPath: origin, withIntermediateDirectories: false)
        try fill(origin, isOld: program.contains("ustar"))
        let path = directory.path + "/archive"
        let words = program.split(separator: " ").map(String.init) + ["-cf", path, "-C", origin, "."]
        try await Command(words[0], Array(words.dropFirst())).run()
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        try TarArchive(bytes, limit: 1 << 20).unpack(bytes, into: folder)
        chmod(origin + "/program", 0o750)
        #expect(try await tree(folder, "%m %Ts") == (try await tree(origin, "%m %Ts")))
        chmod(folder + "/closed", 0o700)
        chmod(origin + "/closed", 0o700)
    }
}
