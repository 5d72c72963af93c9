import Foundation
import KilnModel
import Testing

@Suite("The listing of a root")
struct RootListingTests {
    private static let digest = String(repeating: "a", count: 64)
    private static let file = "f 644 0 0 3 \(digest) - /a"

    private func read(_ lines: [String], count: Int? = nil) throws -> RootListing {
        let whole = [RootListing.header] + lines + [RootListing.footer(count ?? lines.count), ""]
        return try RootListing(Array(whole.joined(separator: "\n").utf8), of: "a root")
    }

    @Test("what is written is read")
    func roundTrip() throws {
        let entries = [
            RootEntry(kind: .directory, mode: 0o1777, user: 0, group: 0),
            RootEntry(
                kind: .file,
                mode: 0o4755,
                user: 1000,
                group: 100,
                size: 9,
                value: Self.digest,
                attributes: Self.digest
            ),
            RootEntry(kind: .file, mode: 0o644, user: 0, group: 0, size: 1 << 60),
            RootEntry(kind: .link, mode: 0o777, user: 0, group: 0, value: "usr%2Fbin"),
            RootEntry(kind: .block, mode: 0o660, user: 0, group: 6, value: "254:0"),
            RootEntry(kind: .damaged, mode: 0, user: 0, group: 0),
        ]
        let paths = entries.indices.map { RootPath.root.appending([UInt8($0), 0x0a]) }
        let lines = zip(paths, entries).map { $1.line($0) }
        let package = RootListing.line(package: Array("libc6".utf8), version: Array("2.41-12".utf8))
        let listing = try read(lines + [package])
        #expect(listing.entries == Dictionary(uniqueKeysWithValues: zip(paths, entries)))
        #expect(listing.packages == ["libc6": "2.41-12"])
    }

    @Test(
        "a line that is none makes the listing unreadable",
        arguments: [
            "f 644 0 0 3 aa - /a", "f 644 0 0 -3 \(digest) - /a", "f 99 0 0 3 \(digest) - /a", "z 644 0 0 3 - - /a",
            "f 644 0 0 3 \(digest) - /../a", "f 644 0 0 3 \(digest) - a", "f 644 0 0 3 \(digest) - /a b",
            "d 755 0 0 0 \(digest) - /a", "c 600 0 0 0 x - /a", "l 777 0 0 0 - - /a", "f 77777 0 0 3 \(digest) - /a",
            "package a", "package a b c", "end 1",
        ]
    )
    func hostile(_ line: String) {
        #expect { try read([line]) } throws: { ($0 as? KilnError)?.code == .driftListingDamaged }
    }

    @Test("a listing that was cut, or says a path twice, is refused")
    func whole() throws {
        #expect(try read([Self.file]).entries.count == 1)
        #expect(throws: KilnError.self) { try read([Self.file, Self.file]) }
        #expect(throws: KilnError.self) { try read([Self.file], count: 2) }
        #expect(throws: KilnError.self) { try RootListing(Array("\(RootListing.header)\n".utf8), of: "a root") }
        #expect(throws: KilnError.self) { try RootListing([], of: "a root") }
    }
}
