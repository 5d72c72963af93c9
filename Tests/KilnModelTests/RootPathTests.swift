import Foundation
import KilnModel
import Testing

@Suite("Paths of a root")
struct RootPathTests {
    @Test(
        "any name becomes exactly one harmless component",
        arguments: [
            "plain", "with blank", "new\nline", "end 3", "50%", "%2F", "\u{1b}[2J", "e\u{301}", "é", "\u{202e}gpj",
        ]
    )
    func names(_ name: String) throws {
        let path = RootPath.root.appending(Array("dir".utf8)).appending(Array(name.utf8))
        #expect(path.text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f })
        #expect(path.text.split(separator: "/").count == 2)
        #expect(RootPath(path.text) == path)
        #expect(path.parent?.text == "/dir")
        #expect(!path.description.contains("\n") && !path.description.contains("\u{1b}"))
    }

    @Test("bytes that are no text, and a slash in a name, are escaped")
    func bytes() {
        #expect(RootPath.root.appending([0xff, 0x2f, 0x00]).text == "/%FF%2F%00")
        #expect(RootPath.root.appending([0xff]).description == "/%FF")
        #expect(RootPath.root.appending(Array("ä b".utf8)).description == "/ä b")
        #expect(RootPath.root.appending(Array("a%b".utf8)).description == "/a%25b")
    }

    @Test("names that look alike stay two")
    func lookalikes() {
        let (composed, decomposed) = (
            RootPath.root.appending([0xc3, 0xa9]), RootPath.root.appending([0x65, 0xcc, 0x81])
        )
        #expect(composed != decomposed && Set([composed, decomposed]).count == 2)
    }

    @Test(
        "a text that no path is written as is refused",
        arguments: ["", "a", "/a/", "//", "/a//b", "/.", "/a/..", "/a b", "/%61", "/%2f", "/%", "/%4", "/ä", "/a\n"]
    )
    func refused(_ text: String) { #expect(RootPath(text) == nil) }

    @Test("what people write is read leniently, but climbs nowhere")
    func written() {
        #expect(RootPath(written: "/var/log/")?.text == "/var/log")
        #expect(RootPath(written: "/a b")?.text == "/a%20b")
        #expect(RootPath(written: "/var/../etc") == nil && RootPath(written: "etc") == nil)
    }

    @Test("below means below, not alike")
    func within() throws {
        let log = try #require(RootPath("/var/log"))
        let (below, beside) = (try #require(RootPath("/var/log/a")), try #require(RootPath("/var/logs")))
        #expect(below.isWithin(log) && log.isWithin(log) && log.isWithin(.root))
        #expect(!beside.isWithin(log))
    }
}
